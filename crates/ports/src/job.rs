//! Jobs: adding them with the change that wants them, taking them up, finishing them, and reading them.
//!
//! A worker takes a job up for a while: it has a *lease*. One that dies lets its lease run out, and the job is taken
//! up by another. Whoever's lease is no longer the last one of the job can do nothing more with it.

use async_trait::async_trait;
use foretell_domain::id::JobId;
use foretell_domain::job::{JobKind, JobLane, JobState, JobTask};
use foretell_domain::time::Timestamp;
use thiserror::Error;

use crate::error::StoreError;
use crate::page::Stretch;
use crate::unit::Locked;

/// A job that is about to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Names it.
    pub id: JobId,
    /// What is to be done.
    pub task: JobTask,
    /// Not before this time.
    pub run_at: Timestamp,
    /// If there is a job of this name, even one that is done, no other is added; 1 to 100 characters.
    pub once: Option<String>,
    /// When it was wanted.
    pub created_at: Timestamp,
}

/// A job as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Names it.
    pub id: JobId,
    /// What is to be done; an error if this version of the program does not know it.
    pub task: Result<JobTask, UnknownTask>,
    /// Where it stands.
    pub state: JobState,
    /// How many attempts have failed since it was added or revived.
    pub failures: u32,
    /// Why the last attempt that failed did.
    pub error: Option<String>,
    /// When it was wanted.
    pub created_at: Timestamp,
    /// When it may be taken up: at its time while it waits, at the end of the lease while it runs.
    pub due_at: Option<Timestamp>,
    /// When it was done, or given up.
    pub finished_at: Option<Timestamp>,
}

impl Job {
    /// The kind as it is stored, whether this version of the program knows it or not.
    pub fn kind(&self) -> &str {
        match &self.task {
            Ok(task) => task.kind().as_str(),
            Err(unknown) => &unknown.kind,
        }
    }
}

/// A stored task that this version of the program does not know.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown job {kind:?}: {problem}")]
pub struct UnknownTask {
    /// The kind as it is stored.
    pub kind: String,
    /// What is unknown.
    pub problem: &'static str,
}

/// A worker's hold on a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// Counts the leases of the job from 1.
    pub number: i64,
}

/// A job that was just taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeasedJob {
    /// The hold on it.
    pub lease: Lease,
    /// What is to be done.
    pub task: JobTask,
    /// How many attempts have failed; one whose lease ran out counts.
    pub failures: u32,
}

/// The jobs that were just taken up.
#[derive(Debug, Default)]
pub struct LeasedJobs {
    /// Those whose task is known.
    pub jobs: Vec<LeasedJob>,
    /// The others. They are to be given up, or they will be taken up again and again.
    pub unknown: Vec<(Lease, UnknownTask)>,
}

/// Which jobs to take up, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseRequest {
    /// Only of this lane.
    pub lane: JobLane,
    /// The time now.
    pub now: Timestamp,
    /// When the leases run out.
    pub until: Timestamp,
    /// At most so many.
    pub limit: u32,
}

/// Writes jobs within a unit of work. What takes a lease does nothing and gives `false` if it is not the last one of
/// a running job.
pub trait JobTx {
    /// Adds jobs, but for those whose name is taken, and says how many were added.
    fn add_jobs(&mut self, jobs: &[NewJob]) -> Result<usize, StoreError>;

    /// Adds a job that has a name or, if there is one of this name, makes that one wait for the new time as if it were
    /// new. A worker that runs it loses its lease.
    fn schedule_job(&mut self, job: &NewJob) -> Result<(), StoreError>;

    /// Deletes the jobs of these names, in whatever state, and returns their number. A worker that runs one loses its
    /// lease.
    fn delete_named_jobs(&mut self, names: &[String]) -> Result<usize, StoreError>;

    /// Takes up jobs that are due, those that have been due the longest first: waiting ones, and running ones whose
    /// lease has run out, which counts as a failure. Jobs that another unit is taking up are passed over. In any order.
    fn lease_jobs(&mut self, request: &LeaseRequest) -> Result<LeasedJobs, StoreError>;

    /// Moves the end of a lease.
    fn extend_lease(&mut self, lease: Lease, until: Timestamp) -> Result<bool, StoreError>;

    /// Ends a job that is done.
    fn finish_job(&mut self, lease: Lease, at: Timestamp) -> Result<bool, StoreError>;

    /// Lets a job wait until a time, with the failure of its attempt if it has failed.
    fn put_off_job(
        &mut self,
        lease: Lease,
        run_at: Timestamp,
        failure: Option<&str>,
    ) -> Result<bool, StoreError>;

    /// Gives a job up, with the failure of its last attempt.
    fn bury_job(&mut self, lease: Lease, at: Timestamp, failure: &str) -> Result<bool, StoreError>;

    /// Locks a job.
    fn lock_job(&mut self, id: JobId) -> Result<Option<Locked<Job>>, StoreError>;

    /// Lets a locked job that waits or was given up be tried at a time, as often as a new one.
    fn revive_job(&mut self, job: &Locked<Job>, run_at: Timestamp) -> Result<(), StoreError>;

    /// Deletes a locked job.
    fn delete_job(&mut self, job: Locked<Job>) -> Result<(), StoreError>;

    /// Deletes at most `limit` jobs that were done before a time, and says how many.
    fn purge_jobs(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// Which jobs are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct JobFilter {
    /// Only of this kind.
    pub kind: Option<JobKind>,
    /// Only in this state.
    pub state: Option<JobState>,
}

/// How many jobs there are of one kind in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobCount {
    /// The kind; nothing for all kinds that this version of the program does not know.
    pub kind: Option<JobKind>,
    /// The state.
    pub state: JobState,
    /// How many.
    pub count: i64,
}

/// Reads jobs.
#[async_trait]
pub trait JobQueries: Send + Sync {
    /// The job of this id.
    async fn find_job(&self, id: JobId) -> Result<Option<Job>, StoreError>;

    /// A stretch of the jobs, newest first.
    async fn list_jobs(&self, filter: JobFilter, stretch: Stretch<JobId>) -> Result<Vec<Job>, StoreError>;

    /// How many jobs there are.
    async fn count_jobs(&self, filter: JobFilter) -> Result<i64, StoreError>;

    /// How many jobs that are not done there are of each kind in each state, where there are any, in any order.
    async fn count_unfinished_jobs(&self) -> Result<Vec<JobCount>, StoreError>;

    /// Whether a job of this lane is due at a time.
    async fn has_due_job(&self, lane: JobLane, now: Timestamp) -> Result<bool, StoreError>;
}
