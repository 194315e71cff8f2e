//! Jobs: the ports, and their statements in the modules below.

pub(crate) mod job_rows;
pub(crate) mod jobs;

use async_trait::async_trait;
use foretell_domain::id::JobId;
use foretell_domain::job::JobLane;
use foretell_domain::time::Timestamp;
use foretell_ports::error::StoreError;
use foretell_ports::job::{
    Job, JobCount, JobFilter, JobQueries, JobTx, Lease, LeaseRequest, LeasedJobs, NewJob,
};
use foretell_ports::page::PageRequest;
use foretell_ports::unit::Locked;

use crate::store::Store;
use crate::tx::UnitTx;

impl JobTx for UnitTx<'_, '_> {
    fn add_jobs(&mut self, jobs: &[NewJob]) -> Result<usize, StoreError> {
        self.step(|c| jobs::add(c, jobs))
    }

    fn schedule_job(&mut self, job: &NewJob) -> Result<(), StoreError> {
        self.step(|c| jobs::schedule(c, job))
    }

    fn delete_named_jobs(&mut self, names: &[String]) -> Result<usize, StoreError> {
        self.step(|c| jobs::delete_named(c, names))
    }

    fn lease_jobs(&mut self, request: &LeaseRequest) -> Result<LeasedJobs, StoreError> {
        self.step(|c| jobs::lease(c, request))
    }

    fn extend_lease(&mut self, lease: Lease, until: Timestamp) -> Result<bool, StoreError> {
        self.step(|c| jobs::extend(c, lease, until))
    }

    fn finish_job(&mut self, lease: Lease, at: Timestamp) -> Result<bool, StoreError> {
        self.step(|c| jobs::finish(c, lease, at))
    }

    fn reschedule_job(
        &mut self,
        lease: Lease,
        run_at: Timestamp,
        failure: Option<&str>,
    ) -> Result<bool, StoreError> {
        self.step(|c| jobs::reschedule(c, lease, run_at, failure))
    }

    fn dead_letter_job(
        &mut self,
        lease: Lease,
        at: Timestamp,
        failure: &str,
    ) -> Result<bool, StoreError> {
        self.step(|c| jobs::dead_letter(c, lease, at, failure))
    }

    fn lock_job(&mut self, id: JobId) -> Result<Option<Locked<Job>>, StoreError> {
        self.step(|c| Ok(jobs::lock(c, id)?.map(Locked::assume)))
    }

    fn revive_job(&mut self, job: &Locked<Job>, run_at: Timestamp) -> Result<(), StoreError> {
        self.step(|c| jobs::revive(c, job.id, run_at))
    }

    fn delete_job(&mut self, job: Locked<Job>) -> Result<(), StoreError> {
        self.step(|c| jobs::delete(c, job.id))
    }

    fn purge_jobs(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.step(|c| jobs::purge(c, before, limit))
    }
}

#[async_trait]
impl JobQueries for Store {
    async fn find_job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        self.read("find_job", move |c| jobs::find(c, id)).await
    }

    async fn list_jobs(
        &self,
        filter: JobFilter,
        page: PageRequest<JobId>,
    ) -> Result<Vec<Job>, StoreError> {
        self.read("list_jobs", move |c| jobs::list(c, filter, page)).await
    }

    async fn count_jobs(&self, filter: JobFilter) -> Result<i64, StoreError> {
        self.read("count_jobs", move |c| jobs::count(c, filter)).await
    }

    async fn count_unfinished_jobs(&self) -> Result<Vec<JobCount>, StoreError> {
        self.read("count_unfinished_jobs", jobs::count_unfinished).await
    }

    async fn has_due_job(&self, lane: JobLane, now: Timestamp) -> Result<bool, StoreError> {
        self.read("has_due_job", move |c| jobs::has_due(c, lane, now)).await
    }
}
