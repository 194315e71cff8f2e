//! Rows of the table `jobs`.

#![allow(clippy::ref_option_ref, reason = "the code that Diesel derives for an optional text")]

use diesel::prelude::*;
use foretell_domain::job::{JobKind, JobState, JobTask};
use foretell_ports::job::{Job, NewJob, UnknownTask};

use crate::error::{Failure, StoredRow};
use crate::id::DbId;
use crate::schema::jobs;

#[derive(Queryable, Selectable)]
#[diesel(table_name = jobs)]
pub(crate) struct JobRow {
    pub(crate) id: DbId,
    kind: String,
    about_id: Option<DbId>,
    concerned_id: Option<DbId>,
    state: String,
    due_at_us: Option<i64>,
    failures: i64,
    error: Option<String>,
    created_at_us: i64,
    finished_at_us: Option<i64>,
}

impl TryFrom<JobRow> for Job {
    type Error = Failure;

    fn try_from(row: JobRow) -> Result<Self, Failure> {
        let stored = StoredRow { table: "jobs", id: row.id };
        Ok(Self {
            id: row.id.into(),
            task: task_of(row.kind, row.about_id, row.concerned_id),
            state: stored.named("state", JobState::from_name(&row.state))?,
            failures: failures_of(row.failures),
            error: row.error,
            created_at: stored.time("created_at_us", row.created_at_us)?,
            due_at: stored.optional_time("due_at_us", row.due_at_us)?,
            finished_at: stored.optional_time("finished_at_us", row.finished_at_us)?,
        })
    }
}

/// Returns the task, or an error if this version of the program does not know it: another version
/// may have added the job.
pub(crate) fn task_of(
    kind: String,
    about: Option<DbId>,
    concerned: Option<DbId>,
) -> Result<JobTask, UnknownTask> {
    let Some(known) = JobKind::from_name(&kind) else {
        return Err(UnknownTask { kind, problem: "this version has no such kind" });
    };
    let task = JobTask::from_parts(known, (about.map(u128::from), concerned.map(u128::from)));
    task.ok_or(UnknownTask { kind, problem: "its ids are not those of its kind" })
}

/// Converts the number of failures.
pub(crate) fn failures_of(failures: i64) -> u32 {
    u32::try_from(failures.max(0)).unwrap_or(u32::MAX)
}

/// Inserted columns of a job.
#[derive(Insertable, Clone, Copy)]
#[diesel(table_name = jobs, treat_none_as_default_value = false)]
pub(crate) struct NewJobRow<'a> {
    pub(crate) id: DbId,
    pub(crate) kind: &'static str,
    pub(crate) lane: &'static str,
    pub(crate) about_id: Option<DbId>,
    pub(crate) concerned_id: Option<DbId>,
    pub(crate) state: &'static str,
    pub(crate) due_at_us: i64,
    pub(crate) leases: i64,
    pub(crate) failures: i64,
    pub(crate) once: Option<&'a str>,
    pub(crate) created_at_us: i64,
}

impl<'a> From<&'a NewJob> for NewJobRow<'a> {
    fn from(job: &'a NewJob) -> Self {
        let (about, concerned) = job.task.ids();
        Self {
            id: job.id.into(),
            kind: job.task.kind().as_str(),
            lane: job.task.kind().lane().as_str(),
            about_id: about.map(DbId::from),
            concerned_id: concerned.map(DbId::from),
            state: JobState::Waiting.as_str(),
            due_at_us: job.run_at.micros(),
            leases: 0,
            failures: 0,
            once: job.once.as_deref(),
            created_at_us: job.created_at.micros(),
        }
    }
}

/// A job that was just leased.
#[derive(QueryableByName)]
#[diesel(table_name = jobs)]
pub(crate) struct LeasedRow {
    pub(crate) id: DbId,
    pub(crate) kind: String,
    pub(crate) about_id: Option<DbId>,
    pub(crate) concerned_id: Option<DbId>,
    pub(crate) leases: i64,
    pub(crate) failures: i64,
}
