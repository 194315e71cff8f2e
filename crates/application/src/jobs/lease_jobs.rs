//! Leases jobs, and reschedules them or marks them dead when they fail.

use std::time::Duration;

use foretell_domain::id::JobId;
use foretell_domain::job::{JobLane, JobTask};
use foretell_domain::time::Timestamp;
use foretell_ports::error::StoreError;
use foretell_ports::job::{Lease, LeaseRequest, LeasedJob, LeasedJobs, NewJob};
use foretell_ports::unit::Tx;
use metrics::counter;

use super::Jobs;
use crate::jobs::retry::pause_for;

/// Periodic tasks with their intervals.
const SCHEDULE: [(JobTask, Duration); 3] = [
    (JobTask::PurgeOutcomes, Duration::from_mins(10)),
    (JobTask::PurgeSessions, Duration::from_hours(1)),
    (JobTask::PurgeJobs, Duration::from_hours(1)),
];

/// Jobs that were just leased.
#[derive(Debug)]
pub struct LeasedBatch {
    /// The jobs.
    pub jobs: Vec<LeasedJob>,
    /// `true` if some are due and none could be leased: other workers hold them, or something is
    /// wrong.
    pub is_blocked: bool,
}

/// Failure of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempt {
    /// Error message with its causes.
    pub problem: String,
    /// `true` if another attempt would fail too.
    pub is_permanent: bool,
    /// `true` if the receiver is at fault, see
    /// [`JobFailure::is_of_receiver`](crate::JobFailure::is_of_receiver).
    pub is_of_receiver: bool,
    /// Time to wait that the other side requests: it lengthens the pause, within limits.
    pub retry_after: Option<Duration>,
}

impl FailedAttempt {
    /// Creates a failure that may be temporary.
    pub fn temporary(problem: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            is_permanent: false,
            is_of_receiver: false,
            retry_after: None,
        }
    }
}

/// New state of a failed job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedJob {
    /// It is retried after this time.
    Retried(Duration),
    /// It has no attempts left; an operator must act.
    DeadLettered,
    /// Another worker has leased it.
    Lost,
}

impl Jobs {
    /// Leases at most `limit` due jobs of a lane for this long. It writes nothing if none is due.
    /// Jobs with a task unknown to this version of the program become dead, so that they do not
    /// block the lane.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn lease_jobs(
        &self,
        lane: JobLane,
        limit: u32,
        length: Duration,
    ) -> Result<LeasedBatch, StoreError> {
        let now = self.context.now();
        if limit == 0 || !self.queries.has_due_job(lane, now).await? {
            return Ok(LeasedBatch { jobs: Vec::new(), is_blocked: false });
        }
        let request = LeaseRequest { lane, now, until: now.plus(length), limit };
        let work = move |tx: &mut dyn Tx| {
            let leased = tx.lease_jobs(&request)?;
            for (lease, unknown) in &leased.unknown {
                tx.dead_letter_job(*lease, now, &unknown.to_string())?;
            }
            Ok(leased)
        };
        let LeasedJobs { jobs, unknown } = self.context.units.run("lease_jobs", work).await?;
        for (lease, task) in &unknown {
            counter!("foretell_jobs_run_total", "kind" => "unknown", "result" => "given_up")
                .increment(1);
            let (job_id, kind) = (lease.job, &task.kind);
            tracing::error!(
                %job_id, kind,
                "job {kind} became dead: {task}; retry it with a version that knows it"
            );
        }
        let is_blocked = jobs.is_empty() && unknown.is_empty();
        Ok(LeasedBatch { jobs, is_blocked })
    }

    /// Extends a lease from now; `false` if another worker has the job.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn extend_lease(&self, lease: Lease, length: Duration) -> Result<bool, StoreError> {
        let until = self.context.now().plus(length);
        self.context.units.run("extend_lease", move |tx| tx.extend_lease(lease, until)).await
    }

    /// Releases a job for other workers before it is done.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn release_job(&self, lease: Lease) -> Result<bool, StoreError> {
        let now = self.context.now();
        self.context.units.run("release_job", move |tx| tx.reschedule_job(lease, now, None)).await
    }

    /// Reschedules a failed job, or marks it dead if it has no attempts left or the failure is
    /// permanent.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn fail_job(
        &self,
        job: &LeasedJob,
        failure: &FailedAttempt,
    ) -> Result<FailedJob, StoreError> {
        let failures = job.failures.saturating_add(1);
        let policy = self.retries.of(job.task.kind());
        let pause =
            policy.pause_after(failures, chance(job.lease.job)).filter(|_| !failure.is_permanent);
        let pause = pause.map(|pause| pause_for(pause, failure.retry_after));
        let (lease, now, failure) = (job.lease, self.context.now(), failure.problem.clone());
        let work = move |tx: &mut dyn Tx| match pause {
            Some(pause) => tx.reschedule_job(lease, now.plus(pause), Some(&failure)),
            None => tx.dead_letter_job(lease, now, &failure),
        };
        let is_ours = self.context.units.run("fail_job", work).await?;
        Ok(match pause {
            _ if !is_ours => FailedJob::Lost,
            Some(pause) => FailedJob::Retried(pause),
            None => FailedJob::DeadLettered,
        })
    }

    /// Adds the due periodic jobs, each once however many nodes do so. `last` is the previous
    /// return value, which saves repeated inserts.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn add_scheduled_jobs(
        &self,
        last: Option<SchedulePeriods>,
    ) -> Result<SchedulePeriods, StoreError> {
        let (now, periods) = (self.context.now(), SchedulePeriods::at(self.context.now()));
        let is_new =
            |index: usize| last.is_none_or(|last| last.0.get(index) != periods.0.get(index));
        let due = SCHEDULE.iter().zip(periods.0).enumerate().filter(|(index, _)| is_new(*index));
        let jobs: Vec<_> =
            due.map(|(_, ((task, _), period))| self.scheduled_job(*task, period, now)).collect();
        if !jobs.is_empty() {
            self.context.units.run("add_scheduled_jobs", move |tx| tx.add_jobs(&jobs)).await?;
        }
        Ok(periods)
    }

    fn scheduled_job(&self, task: JobTask, period: i64, now: Timestamp) -> NewJob {
        let id = JobId::from_u128(self.context.next_id());
        let once = Some(format!("{}:{period}", task.kind().as_str()));
        NewJob { id, task, run_at: now, once, created_at: now }
    }

    /// Marks a job as done; `false` if another worker has it.
    pub(super) async fn finish_job(&self, lease: Lease) -> Result<bool, StoreError> {
        let now = self.context.now();
        self.context.units.run("finish_job", move |tx| tx.finish_job(lease, now)).await
    }

    /// Returns `true` if a job has used all its attempts before this one begins: its workers
    /// crashed.
    pub(super) fn has_exhausted_attempts(&self, job: &LeasedJob) -> bool {
        let policy = self.retries.of(job.task.kind());
        job.failures > 0 && policy.pause_after(job.failures, 0.5).is_none()
    }
}

/// Period numbers of all periodic jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchedulePeriods([i64; SCHEDULE.len()]);

impl SchedulePeriods {
    fn at(now: Timestamp) -> Self {
        let period = |(_, period): (JobTask, Duration)| {
            i64::try_from(period.as_micros()).unwrap_or(i64::MAX)
        };
        Self(SCHEDULE.map(|periodic| now.micros().div_euclid(period(periodic))))
    }
}

/// Returns a number from 0 to 1 that differs from job to job: the last bits of an id are random.
fn chance(job: JobId) -> f64 {
    let [.., a, b] = job.to_bytes();
    f64::from(u16::from_be_bytes([a, b])) / f64::from(u16::MAX)
}
