//! Lists, retries and discards jobs. For admins.

use foretell_domain::id::JobId;
use foretell_domain::job::{JobError, JobState, JobTask};
use foretell_domain::policy;
use foretell_domain::time::Timestamp;
use foretell_ports::job::{Job, JobFilter};
use foretell_ports::page::PageRequest;
use foretell_ports::unit::Tx;

use super::Jobs;
use crate::Caller;
use crate::error::AppError;

impl Jobs {
    /// Returns a page of the jobs, newest first. For admins.
    ///
    /// # Errors
    /// [`AppError::Refused`] for everyone else, [`AppError::Store`].
    pub async fn list_jobs(
        &self,
        caller: &Caller,
        filter: JobFilter,
        page: PageRequest<JobId>,
    ) -> Result<Vec<Job>, AppError> {
        policy::may_administer(caller.actor())?;
        Ok(self.queries.list_jobs(filter, page).await?)
    }

    /// Retries a waiting or dead job immediately, with all its attempts. For admins.
    ///
    /// # Errors
    /// [`AppError::Refused`] for everyone else, with `NotFound` or `Busy`; [`AppError::Store`].
    pub async fn retry_job(&self, caller: &Caller, id: JobId) -> Result<Job, AppError> {
        let now = self.context.now();
        let work = move |tx: &mut dyn Tx, actor| {
            policy::may_administer(actor)?;
            retry(tx, id, now)
        };
        self.context.run_as(caller, "retry_job", work).await
    }

    /// Retries a job for the operator of the server.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `NotFound` or `Busy`; [`AppError::Store`].
    pub async fn retry_job_as_operator(&self, id: JobId) -> Result<Job, AppError> {
        let now = self.context.now();
        self.context.units.try_run("retry_job", move |tx| retry(tx, id, now)).await
    }

    /// Deletes a job that no worker runs, without doing its task. For admins.
    ///
    /// # Errors
    /// [`AppError::Refused`] for everyone else, with `NotFound` or `Busy`; [`AppError::Store`].
    pub async fn discard_job(&self, caller: &Caller, id: JobId) -> Result<(), AppError> {
        let work = move |tx: &mut dyn Tx, actor| {
            policy::may_administer(actor)?;
            discard(tx, id)
        };
        self.context.run_as(caller, "discard_job", work).await
    }

    /// Deletes a job for the operator of the server.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `NotFound` or `Busy`; [`AppError::Store`].
    pub async fn discard_job_as_operator(&self, id: JobId) -> Result<(), AppError> {
        self.context.units.try_run("discard_job", move |tx| discard(tx, id)).await
    }
}

fn retry(tx: &mut dyn Tx, id: JobId, now: Timestamp) -> Result<Job, AppError> {
    let job = tx.lock_job(id)?.ok_or(JobError::NotFound(id))?;
    if matches!(job.state, JobState::Running | JobState::Done) {
        return Err(JobError::Busy(job.state).into());
    }
    tx.revive_job(&job, now)?;
    let due_at = Some(now);
    let (state, failures, finished_at) = (JobState::Waiting, 0, None);
    Ok(Job { state, failures, due_at, finished_at, ..job.into_inner() })
}

fn discard(tx: &mut dyn Tx, id: JobId) -> Result<(), AppError> {
    let job = tx.lock_job(id)?.ok_or(JobError::NotFound(id))?;
    if job.state == JobState::Running {
        return Err(JobError::Busy(job.state).into());
    }
    if let (Ok(JobTask::Webhook { webhook, market }), JobState::Waiting) = (&job.task, job.state) {
        // Without its cursor, the webhook receives later events again.
        tx.delete_webhook_cursor(*webhook, *market)?;
    }
    tx.delete_job(job)?;
    Ok(())
}
