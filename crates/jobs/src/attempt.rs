//! One attempt at a job: its lease is extended while it runs, and on failure the job is rescheduled
//! or becomes dead.

use std::sync::Arc;
use std::time::Duration;

use foretell_application::{Application, FailedAttempt, FailedJob, JobFailure};
use foretell_domain::job::JobKind;
use foretell_ports::error::Chain;
use foretell_ports::job::LeasedJob;
use metrics::counter;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument as _;

/// Timeout of an attempt and duration of a lease.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Timeout of the attempt.
    pub(crate) timeout: Duration,
    /// Duration of the lease; the attempt extends it in time.
    pub(crate) lease: Duration,
}

/// Runs a job in its own task, so that a panic fails only this job; if the future is dropped, the
/// task stops.
pub(crate) async fn run(application: Arc<Application>, job: LeasedJob, limits: Limits) {
    let mut working = JoinSet::new();
    let worked = Arc::clone(&application);
    let span =
        tracing::debug_span!("job.run", kind = job.task.kind().as_str(), job_id = %job.lease.job);
    working.spawn(async move { worked.jobs.run_job(&job).await }.instrument(span));
    let count = |result: &'static str| {
        counter!("foretell_jobs_run_total", "kind" => job.task.kind().as_str(), "result" => result)
            .increment(1);
    };
    let failure = match finish(&application, &job, working, limits).await {
        Ending::Done => {
            count("done");
            return;
        }
        Ending::Lost => {
            count("lost");
            log_lost(&job);
            return;
        }
        Ending::Failed(failure) => failure,
    };
    let (job_id, kind) = (job.lease.job, job.task.kind().as_str());
    let ended = application.jobs.fail_job(&job, &failure).await;
    let FailedAttempt { problem: failure, is_of_receiver, .. } = failure;
    match ended {
        Ok(FailedJob::Retried(pause)) => {
            count("retried");
            let (attempt, retry_in_s) =
                (attempt_of(&application, &job), pause.as_secs_f64().round());
            tracing::warn!(
                %job_id, kind, failure, retry_in_s,
                "job {kind} failed ({attempt}), retrying in {retry_in_s} s"
            );
        }
        Ok(FailedJob::DeadLettered) => {
            count("given_up");
            let attempt = attempt_of(&application, &job);
            // An error needs the operator: a receiver that rejects messages does not.
            if is_of_receiver {
                tracing::warn!(
                    %job_id, kind, failure,
                    "job {kind} failed ({attempt}) and was given up"
                );
            } else {
                tracing::error!(
                    %job_id, kind, failure,
                    "job {kind} failed ({attempt}) and was given up"
                );
            }
        }
        Ok(FailedJob::Lost) => {}
        // The lease expires, and another attempt is made.
        Err(error) => {
            tracing::warn!(
                %job_id, kind, failure, error = %Chain(&error),
                "job {kind} failed, and storing the failure failed too; it runs again when its \
                 lease expires"
            );
        }
    }
}

/// Logs that the lease was lost before the attempt ended.
fn log_lost(job: &LeasedJob) {
    let (job_id, kind) = (job.lease.job, job.task.kind());
    // A request that moves the end date of a market or deletes it does the same to the closing job,
    // even while it runs: that is no failure.
    if kind == JobKind::CloseMarket {
        tracing::debug!(%job_id, "job close_market was moved, deleted or taken while it ran");
    } else {
        tracing::warn!(%job_id, kind = kind.as_str(), "another worker took a job while it ran");
    }
}

/// Describes the attempt that has just failed.
fn attempt_of(application: &Application, job: &LeasedJob) -> String {
    application.settings().retries.of(job.task.kind()).describe(job.failures.saturating_add(1))
}

/// Result of an attempt.
enum Ending {
    Done,
    Lost,
    Failed(FailedAttempt),
}

/// Waits for the end of an attempt and extends the lease meanwhile. If the lease is lost, the
/// attempt stops immediately.
async fn finish(
    application: &Application,
    job: &LeasedJob,
    mut working: JoinSet<Result<(), JobFailure>>,
    limits: Limits,
) -> Ending {
    let deadline = Instant::now() + limits.timeout;
    loop {
        tokio::select! {
            Some(ended) = working.join_next() => return match ended {
                Ok(Ok(())) => Ending::Done,
                Ok(Err(JobFailure::Lost)) => Ending::Lost,
                Ok(Err(failure)) => Ending::Failed(failed(&failure)),
                Err(_) => Ending::Failed(FailedAttempt::temporary("the job panicked")),
            },
            () = tokio::time::sleep_until(deadline) => {
                let problem = format!("it took longer than {} s", limits.timeout.as_secs());
                return Ending::Failed(FailedAttempt::temporary(problem));
            }
            // Three extensions fit into one lease, so that two may fail before another worker takes
            // the job.
            () = tokio::time::sleep(limits.lease / 3) => {
                match application.jobs.extend_lease(job.lease, limits.lease).await {
                    Ok(true) => {}
                    // The attempt may also have just ended.
                    Ok(false) => return match working.try_join_next() {
                        Some(Ok(Ok(()))) => Ending::Done,
                        _ => Ending::Lost,
                    },
                    Err(error) => {
                        tracing::warn!(
                            job_id = %job.lease.job, error = %Chain(&error),
                            "extending the lease of a job failed"
                        );
                    }
                }
            }
        }
    }
}

/// Converts a failure with its causes.
fn failed(failure: &JobFailure) -> FailedAttempt {
    FailedAttempt {
        problem: Chain(failure).to_string(),
        is_permanent: failure.is_permanent(),
        is_of_receiver: failure.is_of_receiver(),
        retry_after: failure.retry_after(),
    }
}
