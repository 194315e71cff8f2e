//! Jobs in memory.

use async_trait::async_trait;
use foretell_domain::id::JobId;
use foretell_domain::job::{JobKind, JobLane, JobState};
use foretell_domain::time::Timestamp;
use foretell_ports::error::StoreError;
use foretell_ports::job::{
    Job, JobCount, JobFilter, JobQueries, JobTx, Lease, LeaseRequest, LeasedJob, LeasedJobs, NewJob,
};
use foretell_ports::page::PageRequest;
use foretell_ports::unit::Locked;

use super::table::rejected;
use super::tables::{JobRow, Tables};
use super::tx::MemoryTx;
use super::{MemoryStore, count, cut_page};

impl JobTx for MemoryTx<'_> {
    fn add_jobs(&mut self, jobs: &[NewJob]) -> Result<usize, StoreError> {
        self.step(|tables, _| {
            let mut added = 0;
            for new in jobs {
                if let Some(name) = &new.once {
                    if tables.job_names.get(name).is_some() {
                        continue;
                    }
                    tables.job_names.insert(name.clone(), new.id)?;
                }
                tables.jobs.insert(new.id, row_of(new))?;
                added += 1;
            }
            Ok(added)
        })
    }

    fn schedule_job(&mut self, job: &NewJob) -> Result<(), StoreError> {
        self.step(|tables, _| {
            let name = job.once.clone().ok_or_else(|| rejected("a scheduled job has a name"))?;
            let Some(id) = tables.job_names.get(&name).copied() else {
                tables.job_names.insert(name, job.id)?;
                return tables.jobs.insert(job.id, row_of(job));
            };
            let mut row = tables.jobs.require(&id)?.clone();
            row.job.state = JobState::Waiting;
            (row.job.failures, row.job.error) = (0, None);
            (row.job.due_at, row.job.finished_at) = (Some(job.run_at), None);
            tables.jobs.put(id, row);
            Ok(())
        })
    }

    fn delete_named_jobs(&mut self, names: &[String]) -> Result<usize, StoreError> {
        self.step(|tables, _| {
            let ids: Vec<_> =
                names.iter().filter_map(|name| tables.job_names.get(name).copied()).collect();
            for id in &ids {
                delete(tables, *id);
            }
            Ok(ids.len())
        })
    }

    fn lease_jobs(&mut self, request: &LeaseRequest) -> Result<LeasedJobs, StoreError> {
        self.step(|tables, _| {
            let is_due = |job: &Job| is_due(job, request.lane, request.now);
            let rows = tables.jobs.range(..).filter(|(_, row)| is_due(&row.job));
            let mut due: Vec<_> = rows.map(|(id, row)| (row.job.due_at, *id)).collect();
            due.sort_unstable();
            due.truncate(request.limit as usize);
            let mut leased = LeasedJobs::default();
            for (_, id) in due {
                take_up(tables, id, request.until, &mut leased)?;
            }
            Ok(leased)
        })
    }

    fn extend_lease(&mut self, lease: Lease, until: Timestamp) -> Result<bool, StoreError> {
        self.change_leased(lease, |job| job.due_at = Some(until))
    }

    fn finish_job(&mut self, lease: Lease, at: Timestamp) -> Result<bool, StoreError> {
        self.change_leased(lease, |job| end(job, JobState::Done, at))
    }

    fn reschedule_job(
        &mut self,
        lease: Lease,
        run_at: Timestamp,
        failure: Option<&str>,
    ) -> Result<bool, StoreError> {
        self.change_leased(lease, |job| {
            job.state = JobState::Waiting;
            job.due_at = Some(run_at);
            if let Some(failure) = failure {
                job.failures += 1;
                job.error = Some(failure.to_owned());
            }
        })
    }

    fn dead_letter_job(
        &mut self,
        lease: Lease,
        at: Timestamp,
        failure: &str,
    ) -> Result<bool, StoreError> {
        self.change_leased(lease, |job| {
            end(job, JobState::Dead, at);
            job.failures += 1;
            job.error = Some(failure.to_owned());
        })
    }

    fn lock_job(&mut self, id: JobId) -> Result<Option<Locked<Job>>, StoreError> {
        self.step(|tables, _| Ok(tables.jobs.get(&id).map(|row| Locked::assume(row.job.clone()))))
    }

    fn revive_job(&mut self, job: &Locked<Job>, run_at: Timestamp) -> Result<(), StoreError> {
        self.step(|tables, _| {
            let mut row = tables.jobs.require(&job.id)?.clone();
            row.job.state = JobState::Waiting;
            (row.job.due_at, row.job.finished_at, row.job.failures) = (Some(run_at), None, 0);
            tables.jobs.put(job.id, row);
            Ok(())
        })
    }

    fn delete_job(&mut self, job: Locked<Job>) -> Result<(), StoreError> {
        self.step(|tables, _| {
            delete(tables, job.id);
            Ok(())
        })
    }

    fn purge_jobs(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.step(|tables, _| {
            let is_old = |job: &Job| {
                job.state == JobState::Done && job.finished_at.is_some_and(|at| at < before)
            };
            let rows = tables.jobs.range(..).filter(|(_, row)| is_old(&row.job));
            let mut old: Vec<_> = rows.map(|(id, row)| (row.job.finished_at, *id)).collect();
            old.sort_unstable();
            old.truncate(limit as usize);
            for (_, id) in &old {
                delete(tables, *id);
            }
            Ok(old.len() as u64)
        })
    }
}

impl MemoryTx<'_> {
    /// Changes a running job if this is its latest lease, and returns `true` if it is.
    fn change_leased(
        &mut self,
        lease: Lease,
        change: impl FnOnce(&mut Job),
    ) -> Result<bool, StoreError> {
        self.step(|tables, _| {
            let Some(mut row) = tables.jobs.get(&lease.job).cloned() else { return Ok(false) };
            if row.leases != lease.number || row.job.state != JobState::Running {
                return Ok(false);
            }
            change(&mut row.job);
            tables.jobs.put(lease.job, row);
            Ok(true)
        })
    }
}

fn row_of(new: &NewJob) -> JobRow {
    let job = Job {
        id: new.id,
        task: Ok(new.task),
        state: JobState::Waiting,
        failures: 0,
        error: None,
        created_at: new.created_at,
        due_at: Some(new.run_at),
        finished_at: None,
    };
    JobRow { job, leases: 0, once: new.once.clone() }
}

fn is_due(job: &Job, lane: JobLane, now: Timestamp) -> bool {
    job.task.as_ref().is_ok_and(|task| task.kind().lane() == lane)
        && job.due_at.is_some_and(|due| due <= now)
}

fn take_up(
    tables: &mut Tables,
    id: JobId,
    until: Timestamp,
    leased: &mut LeasedJobs,
) -> Result<(), StoreError> {
    let mut row = tables.jobs.require(&id)?.clone();
    row.job.failures += u32::from(row.job.state == JobState::Running);
    row.job.state = JobState::Running;
    row.job.due_at = Some(until);
    row.leases += 1;
    let lease = Lease { job: id, number: row.leases };
    match row.job.task.clone() {
        Ok(task) => leased.jobs.push(LeasedJob { lease, task, failures: row.job.failures }),
        Err(unknown) => leased.unknown.push((lease, unknown)),
    }
    tables.jobs.put(id, row);
    Ok(())
}

fn end(job: &mut Job, state: JobState, at: Timestamp) {
    job.state = state;
    job.due_at = None;
    job.finished_at = Some(at);
}

fn delete(tables: &mut Tables, id: JobId) {
    if let Some(name) = tables.jobs.get(&id).and_then(|row| row.once.clone()) {
        tables.job_names.remove(name);
    }
    tables.jobs.remove(id);
}

fn is_wanted(job: &Job, filter: JobFilter) -> bool {
    filter.kind.is_none_or(|kind| job.kind() == kind.as_str())
        && filter.state.is_none_or(|state| job.state == state)
}

#[async_trait]
impl JobQueries for MemoryStore {
    async fn find_job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.read()?.jobs.committed().get(&id).map(|row| row.job.clone()))
    }

    async fn list_jobs(
        &self,
        filter: JobFilter,
        page: PageRequest<JobId>,
    ) -> Result<Vec<Job>, StoreError> {
        let tables = self.read()?;
        let newest_first = tables.jobs.committed().values().rev().map(|row| &row.job);
        let wanted = newest_first.filter(|job| is_wanted(job, filter)).cloned().collect();
        Ok(cut_page(wanted, page, |job: &Job, last| job.id < last))
    }

    async fn count_jobs(&self, filter: JobFilter) -> Result<i64, StoreError> {
        let tables = self.read()?;
        Ok(count(
            tables.jobs.committed().values().filter(|row| is_wanted(&row.job, filter)).count(),
        ))
    }

    async fn count_unfinished_jobs(&self) -> Result<Vec<JobCount>, StoreError> {
        let tables = self.read()?;
        let mut counts: Vec<JobCount> = Vec::new();
        for job in tables.jobs.committed().values().map(|row| &row.job) {
            let (kind, state) = (JobKind::from_name(job.kind()), job.state);
            if state == JobState::Done {
                continue;
            }
            match counts.iter_mut().find(|count| (count.kind, count.state) == (kind, state)) {
                Some(found) => found.count += 1,
                None => counts.push(JobCount { kind, state, count: 1 }),
            }
        }
        Ok(counts)
    }

    async fn has_due_job(&self, lane: JobLane, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.read()?.jobs.committed().values().any(|row| is_due(&row.job, lane, now)))
    }
}
