//! Storage of jobs: they are added with the change that requests them, leased by workers, and
//! finished.
//!
//! A worker takes a *lease* on a job for a limited time. If a worker crashes, its lease expires,
//! and another worker takes the job. Only the holder of the latest lease of a job can change it.

use async_trait::async_trait;
use foretell_domain::id::JobId;
use foretell_domain::job::{JobKind, JobLane, JobState, JobTask};
use foretell_domain::time::Timestamp;
use thiserror::Error;

use crate::error::StoreError;
use crate::locked::Locked;
use crate::page::PageRequest;

/// A job to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Identifier of the job.
    pub id: JobId,
    /// Task.
    pub task: JobTask,
    /// Earliest execution time.
    pub run_at: Timestamp,
    /// Unique name: if a job with this name exists, even a finished one, no other is added; 1 to
    /// 100 characters.
    pub once: Option<String>,
    /// Creation time.
    pub created_at: Timestamp,
}

/// A stored job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Identifier of the job.
    pub id: JobId,
    /// Task; an error if this version of the program does not know it.
    pub task: Result<JobTask, UnknownTask>,
    /// State.
    pub state: JobState,
    /// Number of failed attempts since the job was added or revived.
    pub failures: u32,
    /// Error of the last failed attempt.
    pub error: Option<String>,
    /// Creation time.
    pub created_at: Timestamp,
    /// Earliest time at which it may be leased: its execution time while it waits, the end of the
    /// lease while it runs.
    pub due_at: Option<Timestamp>,
    /// Time at which it was finished or became dead.
    pub finished_at: Option<Timestamp>,
}

impl Job {
    /// Returns the stored kind, whether this version of the program knows it or not.
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
    /// Stored kind.
    pub kind: String,
    /// The unknown part.
    pub problem: &'static str,
}

/// A worker's lease of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// Number of this lease of the job, from 1.
    pub number: i64,
}

/// A job that was just leased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeasedJob {
    /// The lease.
    pub lease: Lease,
    /// Task.
    pub task: JobTask,
    /// Number of failed attempts; an expired lease counts.
    pub failures: u32,
}

/// The jobs that were just leased.
#[derive(Debug, Default)]
pub struct LeasedJobs {
    /// Jobs with a known task.
    pub jobs: Vec<LeasedJob>,
    /// All other jobs. The caller must mark them dead, or they are leased again and again.
    pub unknown: Vec<(Lease, UnknownTask)>,
}

/// Parameters of leasing jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseRequest {
    /// Queue.
    pub lane: JobLane,
    /// Current time.
    pub now: Timestamp,
    /// Expiry time of the leases.
    pub until: Timestamp,
    /// Maximum number of jobs.
    pub limit: u32,
}

/// Writes jobs within a unit of work. A method with a lease does nothing and returns `false` if it
/// is not the latest lease of a running job.
pub trait JobTx {
    /// Adds jobs, except those whose name exists, and returns the number added.
    fn add_jobs(&mut self, jobs: &[NewJob]) -> Result<usize, StoreError>;

    /// Adds a job with a unique name. If a job with this name exists, it waits for the new time as
    /// if it were new, and a worker that runs it loses its lease.
    fn schedule_job(&mut self, job: &NewJob) -> Result<(), StoreError>;

    /// Deletes the jobs with these names, in any state, and returns their number. A worker that
    /// runs one loses its lease.
    fn delete_named_jobs(&mut self, names: &[String]) -> Result<usize, StoreError>;

    /// Leases jobs that are due, the longest due first: waiting ones, and running ones whose lease
    /// has expired, which counts as a failure. Jobs that another unit is leasing are skipped.
    /// Returned in any order.
    fn lease_jobs(&mut self, request: &LeaseRequest) -> Result<LeasedJobs, StoreError>;

    /// Extends a lease.
    fn extend_lease(&mut self, lease: Lease, until: Timestamp) -> Result<bool, StoreError>;

    /// Marks a job as done.
    fn finish_job(&mut self, lease: Lease, at: Timestamp) -> Result<bool, StoreError>;

    /// Reschedules a job, with the error of the attempt if it failed.
    fn reschedule_job(
        &mut self,
        lease: Lease,
        run_at: Timestamp,
        failure: Option<&str>,
    ) -> Result<bool, StoreError>;

    /// Marks a job as dead, with the error of its last attempt.
    fn dead_letter_job(
        &mut self,
        lease: Lease,
        at: Timestamp,
        failure: &str,
    ) -> Result<bool, StoreError>;

    /// Locks a job.
    fn lock_job(&mut self, id: JobId) -> Result<Option<Locked<Job>>, StoreError>;

    /// Makes a locked waiting or dead job run at a time, with all its attempts.
    fn revive_job(&mut self, job: &Locked<Job>, run_at: Timestamp) -> Result<(), StoreError>;

    /// Deletes a locked job.
    fn delete_job(&mut self, job: Locked<Job>) -> Result<(), StoreError>;

    /// Deletes at most `limit` jobs that finished before a time, and returns their number.
    fn purge_jobs(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// Filter of a list of jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct JobFilter {
    /// Only jobs of this kind.
    pub kind: Option<JobKind>,
    /// Only jobs in this state.
    pub state: Option<JobState>,
}

/// Number of jobs of one kind in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobCount {
    /// The kind; `None` for all kinds that this version of the program does not know.
    pub kind: Option<JobKind>,
    /// The state.
    pub state: JobState,
    /// Number of jobs.
    pub count: i64,
}

/// Reads jobs.
#[async_trait]
pub trait JobQueries: Send + Sync {
    /// Returns the job with this id.
    async fn find_job(&self, id: JobId) -> Result<Option<Job>, StoreError>;

    /// Returns a page of the jobs, newest first.
    async fn list_jobs(
        &self,
        filter: JobFilter,
        page: PageRequest<JobId>,
    ) -> Result<Vec<Job>, StoreError>;

    /// Returns the number of jobs.
    async fn count_jobs(&self, filter: JobFilter) -> Result<i64, StoreError>;

    /// Returns the number of unfinished jobs of each kind in each state, in any order, without
    /// zeros.
    async fn count_unfinished_jobs(&self) -> Result<Vec<JobCount>, StoreError>;

    /// Returns `true` if a job of this queue is due at a time.
    async fn has_due_job(&self, lane: JobLane, now: Timestamp) -> Result<bool, StoreError>;
}
