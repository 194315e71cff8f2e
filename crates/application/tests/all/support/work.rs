//! Runs due jobs, as a worker would.

use std::time::Duration;

use foretell_application::{FailedAttempt, FailedJob, JobFailure};
use foretell_domain::job::{JobLane, JobState};
use foretell_ports::job::{Job, JobFilter, LeasedJob};
use foretell_ports::page::{PageRequest, PageStart};

use super::Fixture;

impl Fixture {
    /// Runs the due jobs, and those that they add, and returns the failed ones with their new
    /// states.
    pub(crate) async fn work(&self) -> Vec<(JobFailure, FailedJob)> {
        let mut failed = Vec::new();
        for lane in JobLane::ALL {
            loop {
                let jobs = self.take_up(lane).await;
                if jobs.is_empty() {
                    break;
                }
                for job in jobs {
                    if let Err(failure) = self.app.jobs.run_job(&job).await {
                        let (problem, is_permanent) = (failure.to_string(), failure.is_permanent());
                        let retry_after = failure.retry_after();
                        let attempt = FailedAttempt {
                            problem,
                            is_permanent,
                            is_of_receiver: false,
                            retry_after,
                        };
                        let fate = self.app.jobs.fail_job(&job, &attempt).await.unwrap();
                        failed.push((failure, fate));
                    }
                }
            }
        }
        failed
    }

    /// Leases the due jobs of a lane.
    pub(crate) async fn take_up(&self, lane: JobLane) -> Vec<LeasedJob> {
        self.app.jobs.lease_jobs(lane, 100, Duration::from_mins(1)).await.unwrap().jobs
    }

    /// Returns the jobs in this state, newest first.
    pub(crate) async fn jobs(&self, state: JobState) -> Vec<Job> {
        let filter = JobFilter { kind: None, state: Some(state) };
        let page = PageRequest { start: PageStart::Offset(0), limit: 100 };
        self.app.queries.jobs.list_jobs(filter, page).await.unwrap()
    }
}
