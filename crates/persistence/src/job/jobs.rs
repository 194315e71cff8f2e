//! The table `jobs`.

#![allow(clippy::ref_option_ref, reason = "the code that Diesel derives for an optional text")]

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use foretell_domain::id::JobId;
use foretell_domain::job::{JobKind, JobLane, JobState};
use foretell_domain::time::Timestamp;
use foretell_ports::job::{
    Job, JobCount, JobFilter, Lease, LeaseRequest, LeasedJob, LeasedJobs, NewJob,
};
use foretell_ports::page::{PageRequest, PageStart};

use crate::connection::{Connection, on};
use crate::dialect;
use crate::error::{Failure, expect_saved};
use crate::id::{DbId, Id};
use crate::job::job_rows::{JobRow, NewJobRow, failures_of, task_of};
use crate::prepared::prepared;
use crate::schema::jobs;
use crate::unreadable_rows::load_page;

/// Maximum number of characters of an error that are stored.
const MAX_ERROR: usize = 1_000;

/// Adds jobs, except those whose unique name exists, and returns the number added.
pub(crate) fn add(connection: &mut Connection<'_>, jobs: &[NewJob]) -> Result<usize, Failure> {
    let rows: Vec<_> = jobs.iter().map(NewJobRow::from).collect();
    Ok(dialect::jobs::insert_once(connection, &rows)?)
}

/// Adds a job, or makes the one with its unique name wait as if it were new. A worker that runs it
/// loses its lease.
pub(crate) fn schedule(connection: &mut Connection<'_>, job: &NewJob) -> Result<(), Failure> {
    // The state leaves `running`, which invalidates the lease of a worker that runs the job.
    const SCHEDULE: &str = "INSERT INTO jobs
        (id, kind, lane, about_id, concerned_id, state, due_at_us, leases, failures, once,
        created_at_us)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (once) DO UPDATE
        SET state = excluded.state, due_at_us = excluded.due_at_us, failures = excluded.failures,
        error = NULL, finished_at_us = NULL";
    let row = NewJobRow::from(job);
    let schedule = prepared(SCHEDULE)
        .bind::<Id, _>(row.id)
        .bind::<Text, _>(row.kind)
        .bind::<Text, _>(row.lane)
        .bind::<Nullable<Id>, _>(row.about_id)
        .bind::<Nullable<Id>, _>(row.concerned_id)
        .bind::<Text, _>(row.state)
        .bind::<BigInt, _>(row.due_at_us)
        .bind::<BigInt, _>(row.leases)
        .bind::<BigInt, _>(row.failures)
        .bind::<Nullable<Text>, _>(row.once)
        .bind::<BigInt, _>(row.created_at_us);
    on!(connection, |c| schedule.execute(c))?;
    Ok(())
}

/// Deletes the jobs with these names and returns their number.
pub(crate) fn delete_named(
    connection: &mut Connection<'_>,
    names: &[String],
) -> Result<usize, Failure> {
    Ok(dialect::jobs::delete_named(connection, names)?)
}

/// Leases due jobs.
pub(crate) fn lease(
    connection: &mut Connection<'_>,
    request: &LeaseRequest,
) -> Result<LeasedJobs, Failure> {
    let mut leased = LeasedJobs::default();
    for row in dialect::jobs::lease(connection, request)? {
        let lease = Lease { job: row.id.into(), number: row.leases };
        match task_of(row.kind, row.about_id, row.concerned_id) {
            Ok(task) => {
                leased.jobs.push(LeasedJob { lease, task, failures: failures_of(row.failures) });
            }
            Err(unknown) => leased.unknown.push((lease, unknown)),
        }
    }
    Ok(leased)
}

/// Extends a lease.
pub(crate) fn extend(
    connection: &mut Connection<'_>,
    lease: Lease,
    until: Timestamp,
) -> Result<bool, Failure> {
    // The number of the lease is checked, so that a worker whose lease was taken over changes
    // nothing.
    const EXTEND: &str =
        "UPDATE jobs SET due_at_us = ? WHERE id = ? AND leases = ? AND state = 'running'";
    let extend = prepared(EXTEND)
        .bind::<BigInt, _>(until.micros())
        .bind::<Id, _>(DbId::from(lease.job))
        .bind::<BigInt, _>(lease.number);
    Ok(on!(connection, |c| extend.execute(c))? == 1)
}

/// Marks a job as done.
pub(crate) fn finish(
    connection: &mut Connection<'_>,
    lease: Lease,
    at: Timestamp,
) -> Result<bool, Failure> {
    // As above: only the latest lease may end the job.
    const FINISH: &str = "UPDATE jobs SET state = 'done', due_at_us = NULL, finished_at_us = ?
        WHERE id = ? AND leases = ? AND state = 'running'";
    let finish = prepared(FINISH)
        .bind::<BigInt, _>(at.micros())
        .bind::<Id, _>(DbId::from(lease.job))
        .bind::<BigInt, _>(lease.number);
    Ok(on!(connection, |c| finish.execute(c))? == 1)
}

/// Reschedules a job, with the error of the attempt if it failed.
pub(crate) fn reschedule(
    connection: &mut Connection<'_>,
    lease: Lease,
    run_at: Timestamp,
    failure: Option<&str>,
) -> Result<bool, Failure> {
    // A postponement without a failure keeps the error of the last failed attempt.
    const RESCHEDULE: &str =
        "UPDATE jobs SET state = 'waiting', due_at_us = ?, failures = failures + ?,
        error = coalesce(?, error) WHERE id = ? AND leases = ? AND state = 'running'";
    let reschedule = prepared(RESCHEDULE)
        .bind::<BigInt, _>(run_at.micros())
        .bind::<BigInt, _>(i64::from(failure.is_some()))
        .bind::<Nullable<Text>, _>(failure.map(shortened))
        .bind::<Id, _>(DbId::from(lease.job))
        .bind::<BigInt, _>(lease.number);
    Ok(on!(connection, |c| reschedule.execute(c))? == 1)
}

/// Marks a job as dead, with the error of its last attempt.
pub(crate) fn dead_letter(
    connection: &mut Connection<'_>,
    lease: Lease,
    at: Timestamp,
    failure: &str,
) -> Result<bool, Failure> {
    const DEAD_LETTER: &str =
        "UPDATE jobs SET state = 'dead', due_at_us = NULL, finished_at_us = ?,
        failures = failures + 1, error = ? WHERE id = ? AND leases = ? AND state = 'running'";
    let dead_letter = prepared(DEAD_LETTER)
        .bind::<BigInt, _>(at.micros())
        .bind::<Text, _>(shortened(failure))
        .bind::<Id, _>(DbId::from(lease.job))
        .bind::<BigInt, _>(lease.number);
    Ok(on!(connection, |c| dead_letter.execute(c))? == 1)
}

/// Truncates an error, and removes characters that Postgres cannot store.
fn shortened(error: &str) -> String {
    error.chars().filter(|c| *c != '\0').take(MAX_ERROR).collect()
}

/// Locks a job.
pub(crate) fn lock(connection: &mut Connection<'_>, id: JobId) -> Result<Option<Job>, Failure> {
    // Locked first, so that the row has the changes of the unit that held the lock before.
    dialect::jobs::lock(connection, id.into())?;
    find(connection, id)
}

/// Makes a job run at a time, with all its attempts.
pub(crate) fn revive(
    connection: &mut Connection<'_>,
    id: JobId,
    run_at: Timestamp,
) -> Result<(), Failure> {
    // `leases` keeps counting, so that no lease from before can end the job.
    let update = diesel::update(jobs::table.find(DbId::from(id))).set((
        jobs::state.eq(JobState::Waiting.as_str()),
        jobs::due_at_us.eq(run_at.micros()),
        jobs::failures.eq(0),
        jobs::finished_at_us.eq(None::<i64>),
    ));
    expect_saved("jobs", 1, on!(connection, |c| update.execute(c))?)
}

/// Deletes a job.
pub(crate) fn delete(connection: &mut Connection<'_>, id: JobId) -> Result<(), Failure> {
    on!(connection, |c| diesel::delete(jobs::table.find(DbId::from(id))).execute(c))?;
    Ok(())
}

/// Deletes jobs that finished before a time, and returns their number.
pub(crate) fn purge(
    connection: &mut Connection<'_>,
    before: Timestamp,
    limit: u32,
) -> Result<u64, Failure> {
    // Dead jobs stay until an operator retries or discards them.
    const PURGE: &str = "DELETE FROM jobs WHERE id IN (
        SELECT id FROM jobs WHERE state = 'done' AND finished_at_us < ?
        ORDER BY finished_at_us LIMIT ?)";
    let purge =
        prepared(PURGE).bind::<BigInt, _>(before.micros()).bind::<BigInt, _>(i64::from(limit));
    let deleted = on!(connection, |c| purge.execute(c))?;
    Ok(u64::try_from(deleted).unwrap_or(u64::MAX))
}

/// Returns the job with this id.
pub(crate) fn find(connection: &mut Connection<'_>, id: JobId) -> Result<Option<Job>, Failure> {
    let row: Option<JobRow> = on!(connection, |c| {
        jobs::table.find(DbId::from(id)).select(JobRow::as_select()).first(c).optional()
    })?;
    row.map(Job::try_from).transpose()
}

/// Builds a query of the jobs that match a filter.
macro_rules! filtered {
    ($filter:expr, $backend:ident) => {{
        let JobFilter { kind, state } = $filter;
        let mut rows = jobs::table.into_boxed::<$backend>();
        if let Some(kind) = kind {
            rows = rows.filter(jobs::kind.eq(kind.as_str()));
        }
        if let Some(state) = state {
            rows = rows.filter(jobs::state.eq(state.as_str()));
        }
        rows
    }};
}

/// Returns a page of the jobs, newest first.
pub(crate) fn list(
    connection: &mut Connection<'_>,
    filter: JobFilter,
    page: PageRequest<JobId>,
) -> Result<Vec<Job>, Failure> {
    let load = |page: &PageRequest<JobId>| {
        Ok(on!(connection, |c, Db| {
            let rows = filtered!(filter, Db).order(jobs::id.desc()).limit(page.limit.into());
            let rows = match page.start {
                PageStart::First => rows,
                PageStart::Offset(skipped) => rows.offset(skipped),
                PageStart::After(id) => rows.filter(jobs::id.lt(DbId::from(id))),
            };
            rows.select(JobRow::as_select()).load(c)
        })?)
    };
    load_page(page, load, |row: &JobRow| row.id.into(), Job::try_from)
}

/// Returns the number of jobs.
pub(crate) fn count(connection: &mut Connection<'_>, filter: JobFilter) -> Result<i64, Failure> {
    Ok(on!(connection, |c, Db| filtered!(filter, Db).count().get_result(c))?)
}

/// Returns the number of unfinished jobs of each kind in each state.
pub(crate) fn count_unfinished(connection: &mut Connection<'_>) -> Result<Vec<JobCount>, Failure> {
    let rows: Vec<(String, String, i64)> = on!(connection, |c| {
        jobs::table
            .filter(jobs::state.eq_any(["waiting", "running", "dead"]))
            .group_by((jobs::kind, jobs::state))
            .select((jobs::kind, jobs::state, diesel::dsl::count_star()))
            .load(c)
    })?;
    // Kinds unknown to this version are added up under `None`.
    let mut counts: BTreeMap<(Option<JobKind>, JobState), i64> = BTreeMap::new();
    for (kind, state, count) in rows {
        if let Some(state) = JobState::from_name(&state) {
            *counts.entry((JobKind::from_name(&kind), state)).or_default() += count;
        }
    }
    Ok(counts.into_iter().map(|((kind, state), count)| JobCount { kind, state, count }).collect())
}

/// Returns `true` if a job of this lane is due at a time.
pub(crate) fn has_due(
    connection: &mut Connection<'_>,
    lane: JobLane,
    now: Timestamp,
) -> Result<bool, Failure> {
    let due =
        jobs::table.filter(jobs::lane.eq(lane.as_str())).filter(jobs::due_at_us.le(now.micros()));
    let first: Option<DbId> = on!(connection, |c| due.select(jobs::id).first(c).optional())?;
    Ok(first.is_some())
}
