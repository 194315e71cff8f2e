//! Worker: polls for jobs and runs them, several at once, until it is stopped.

use std::sync::Arc;
use std::time::Duration;

use foretell_application::{Application, SchedulePeriods};
use foretell_domain::job::JobLane;
use foretell_ports::error::Chain;
use foretell_ports::job::Lease;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout_at};

use crate::attempt::{self, Limits};
use crate::heartbeat::{Heartbeat, HeartbeatLimits, LaneHealth};

/// Settings of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerSettings {
    /// Maximum number of jobs of each lane that run at once, 1 or more.
    pub concurrency: u32,
    /// Pause after a poll that finds nothing due.
    pub poll: Duration,
    /// Duration of a lease: after a crash, the job is retried when it expires.
    pub lease: Duration,
    /// Timeout of an attempt.
    pub timeout: Duration,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            concurrency: 4,
            poll: Duration::from_millis(500),
            lease: Duration::from_secs(30),
            timeout: Duration::from_mins(10),
        }
    }
}

/// Maximum pause after a failure of storage.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Runs jobs in the background.
pub struct Worker {
    stop: watch::Sender<Option<Instant>>,
    lanes: Vec<JoinHandle<()>>,
    heartbeats: Vec<(JobLane, Arc<Heartbeat>)>,
}

impl Worker {
    /// Starts the worker; call it within a Tokio runtime.
    pub fn start(application: &Arc<Application>, settings: WorkerSettings) -> Self {
        let (stop, stopped) = watch::channel(None);
        let poll = settings.poll + LONGEST_PAUSE * 2;
        let limits = HeartbeatLimits { poll, attempt: settings.timeout + poll };
        let heartbeats: Vec<_> =
            JobLane::ALL.into_iter().map(|lane| (lane, Arc::new(Heartbeat::new(limits)))).collect();
        let start = |(lane, heartbeat): &(JobLane, Arc<Heartbeat>)| {
            let lane = Lane {
                application: Arc::clone(application),
                settings,
                kind: *lane,
                stopped: stopped.clone(),
                heartbeat: Arc::clone(heartbeat),
                running: JoinSet::new(),
                leases: Vec::new(),
                periods: None,
            };
            tokio::spawn(lane.run())
        };
        let lanes = heartbeats.iter().map(start).collect();
        Self { stop, lanes, heartbeats }
    }

    /// Returns a function that reports the health of each lane.
    pub fn health(&self) -> impl Fn() -> Vec<LaneHealth> + Send + Sync + 'static {
        let heartbeats = self.heartbeats.clone();
        move || {
            heartbeats
                .iter()
                .map(|(lane, heartbeat)| LaneHealth { lane: *lane, is_ok: heartbeat.is_ok() })
                .collect()
        }
    }

    /// Stops leasing jobs, and waits this long for running ones; the rest are left to other
    /// workers.
    pub async fn stop(self, grace_period: Duration) {
        self.stop.send_replace(Some(Instant::now() + grace_period));
        for lane in self.lanes {
            if let Err(error) = lane.await {
                tracing::error!(error = %Chain(&error), "a worker lane failed");
            }
        }
    }
}

/// Jobs of one lane.
struct Lane {
    application: Arc<Application>,
    settings: WorkerSettings,
    kind: JobLane,
    stopped: watch::Receiver<Option<Instant>>,
    heartbeat: Arc<Heartbeat>,
    running: JoinSet<Lease>,
    leases: Vec<Lease>,
    periods: Option<SchedulePeriods>,
}

impl Lane {
    async fn run(mut self) {
        let mut pause = self.settings.poll;
        while self.stopped.borrow().is_none() {
            pause = match self.poll().await {
                Ok(true) => Duration::ZERO,
                Ok(false) => self.settings.poll,
                Err(error) => {
                    tracing::warn!(
                        error = %Chain(&error), lane = self.kind.as_str(),
                        "polling for jobs failed"
                    );
                    // Back-off: a database that is down is not polled at the usual rate.
                    (pause * 2).clamp(self.settings.poll, LONGEST_PAUSE)
                }
            };
            self.wait(pause).await;
        }
        self.drain().await;
    }

    /// Leases due jobs, as many as may run at once. Returns `true` if there may be more.
    async fn poll(&mut self) -> Result<bool, foretell_ports::error::StoreError> {
        if self.kind == JobLane::Main {
            self.periods = Some(self.application.jobs.add_scheduled_jobs(self.periods).await?);
        }
        let running = u32::try_from(self.running.len()).unwrap_or(u32::MAX);
        let free = self.settings.concurrency.max(1).saturating_sub(running);
        let taken = self.application.jobs.lease_jobs(self.kind, free, self.settings.lease).await?;
        // Due jobs that cannot be leased are no progress, and the health check must report them.
        if !taken.is_blocked {
            self.heartbeat.record_poll(free == 0);
        }
        let is_more = !taken.jobs.is_empty();
        if is_more {
            self.heartbeat.record_progress();
        }
        let limits = Limits { timeout: self.settings.timeout, lease: self.settings.lease };
        for job in taken.jobs {
            self.leases.push(job.lease);
            let application = Arc::clone(&self.application);
            self.running.spawn(async move {
                attempt::run(application, job, limits).await;
                job.lease
            });
        }
        Ok(is_more)
    }

    /// Waits until a job has ended or the pause is over; while the maximum is running, it always
    /// pauses.
    async fn wait(&mut self, pause: Duration) {
        let is_full = self.running.len() >= self.settings.concurrency.max(1) as usize;
        let pause = if is_full { self.settings.poll.max(pause) } else { pause };
        tokio::select! {
            Some(ended) = self.running.join_next() => { self.job_ended(ended); }
            () = tokio::time::sleep(pause) => {}
            _ = self.stopped.changed() => {}
        }
        while let Some(ended) = self.running.try_join_next() {
            self.job_ended(ended);
        }
    }

    fn job_ended(&mut self, ended: Result<Lease, tokio::task::JoinError>) {
        self.heartbeat.record_progress();
        match ended {
            Ok(ended) => self.leases.retain(|lease| *lease != ended),
            Err(error) => {
                tracing::error!(
                    error = %Chain(&error),
                    "the task of a job attempt failed"
                );
            }
        }
    }

    /// Waits for running jobs, and gives back the leases of those that do not end in time.
    async fn drain(mut self) {
        let deadline = self.stopped.borrow().unwrap_or_else(Instant::now);
        while let Ok(Some(ended)) = timeout_at(deadline, self.running.join_next()).await {
            self.job_ended(ended);
        }
        // The tasks must be stopped before their leases are given back, or two workers would run
        // them at once.
        self.running.shutdown().await;
        for lease in std::mem::take(&mut self.leases) {
            match self.application.jobs.release_job(lease).await {
                Ok(is_given) => {
                    tracing::info!(
                        job_id = %lease.job, is_given,
                        "job released for other workers at shutdown"
                    );
                }
                Err(error) => {
                    tracing::warn!(
                        job_id = %lease.job, error = %Chain(&error),
                        "releasing a job at shutdown failed; it runs again when its lease expires"
                    );
                }
            }
        }
    }
}
