//! Runs the task of a job, and marks the job as done. Every task may safely run twice.

use std::time::Duration;

use foretell_domain::job::JobTask;
use foretell_domain::time::Timestamp;
use foretell_ports::error::StoreError;
use foretell_ports::job::{Lease, LeasedJob};
use foretell_ports::mail::MailError;
use foretell_ports::unit::Tx;
use foretell_ports::webhook::WebhookSendError;
use thiserror::Error;

use super::Jobs;
use crate::error::AppError;
use crate::identity::login_limits::KNOWN_FOR_S;

/// Number of rows that one unit of work deletes: few enough not to delay commands.
const PURGE_AT_ONCE: u32 = 2_000;

/// Retention of finished jobs, for inspection and for unique names: a week.
const KEEP_JOBS_S: i64 = 7 * 86_400;

/// Retention of ended sessions: a day.
const KEEP_SESSIONS_S: i64 = 86_400;

/// Reason why a job failed.
#[derive(Debug, Error)]
pub enum JobFailure {
    /// A use case failed.
    #[error(transparent)]
    Application(#[from] AppError),
    /// An email was not sent.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// A message was not delivered.
    #[error(transparent)]
    Webhook(#[from] WebhookSendError),
    /// Another worker has leased the job: this one was taken for dead.
    #[error("another worker has the job")]
    Lost,
    /// Earlier workers crashed during all allowed attempts.
    #[error("every worker that had the job ended in the middle of it")]
    AttemptsExhausted,
}

impl JobFailure {
    /// Returns the time to wait that the other side requests, if any.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Webhook(WebhookSendError::Refused { retry_after, .. }) => *retry_after,
            _ => None,
        }
    }

    /// Returns `true` if the receiver of a webhook or an email is at fault, so that the operator
    /// cannot fix it.
    pub const fn is_of_receiver(&self) -> bool {
        matches!(self, Self::Webhook(_) | Self::Mail(MailError::Refused(_)))
    }

    /// Returns `true` if another attempt would fail too.
    pub const fn is_permanent(&self) -> bool {
        matches!(self, Self::Mail(MailError::Refused(_)))
    }
}

impl From<StoreError> for JobFailure {
    fn from(error: StoreError) -> Self {
        Self::Application(error.into())
    }
}

impl Jobs {
    /// Runs a leased job, and marks it as done.
    ///
    /// # Errors
    /// [`JobFailure`]; the caller must then call [`fail_job`](Self::fail_job).
    pub async fn run_job(&self, job: &LeasedJob) -> Result<(), JobFailure> {
        if self.has_exhausted_attempts(job) {
            return Err(JobFailure::AttemptsExhausted);
        }
        match job.task {
            JobTask::CloseMarket(market) => {
                if let Some(ends_at) = self.services.markets.close_ended_market(market).await? {
                    return self.wait_for_end(job.lease, ends_at).await;
                }
            }
            JobTask::WelcomeMail(user) => {
                self.services.notifications.send_welcome(job.lease.job, user).await?;
            }
            JobTask::DecisionMail { market, user } => {
                self.services.notifications.send_decision(job.lease.job, market, user).await?;
            }
            JobTask::Webhook { webhook, market } => {
                return self.services.notifications.deliver_webhook(job, webhook, market).await;
            }
            JobTask::EmbedMarket(market) => self.services.search.embed_markets(&[market]).await?,
            JobTask::EmbedPost(post) => self.services.search.embed_posts(&[post]).await?,
            JobTask::EmbedAll => {
                let texts = self.services.search.embed_all(|_| {}).await?;
                tracing::info!(texts, "semantic search is ready: all texts are embedded");
            }
            JobTask::PurgeOutcomes => {
                let before =
                    self.before(self.keep_outcomes.as_secs().try_into().unwrap_or(i64::MAX));
                self.purge("purge_outcomes", move |tx| tx.purge_outcomes(before, PURGE_AT_ONCE))
                    .await?;
            }
            JobTask::PurgeSessions => {
                let before = self.before(KEEP_SESSIONS_S);
                self.purge("purge_sessions", move |tx| tx.purge_sessions(before, PURGE_AT_ONCE))
                    .await?;
                let before = self.before(KNOWN_FOR_S);
                let purge = move |tx: &mut dyn Tx| tx.purge_known_networks(before, PURGE_AT_ONCE);
                self.purge("purge_known_networks", purge).await?;
            }
            JobTask::PurgeJobs => {
                let before = self.before(KEEP_JOBS_S);
                self.purge("purge_jobs", move |tx| tx.purge_jobs(before, PURGE_AT_ONCE)).await?;
                let emails = self.mailer.purge(self.context.now()).await?;
                if emails > 0 {
                    tracing::info!(emails, "deleted old emails from the outbox");
                }
            }
        }
        if self.finish_job(job.lease).await? { Ok(()) } else { Err(JobFailure::Lost) }
    }

    /// Reschedules the only closing job of a market to its end date. If the date is moved
    /// concurrently, the lease is lost, and the job waits for the new date.
    async fn wait_for_end(&self, lease: Lease, ends_at: Timestamp) -> Result<(), JobFailure> {
        let wait = move |tx: &mut dyn Tx| tx.reschedule_job(lease, ends_at, None);
        let is_ours = self.context.units.run("wait_for_end", wait).await?;
        if is_ours { Ok(()) } else { Err(JobFailure::Lost) }
    }

    /// Deletes batches until no old rows are left.
    async fn purge(
        &self,
        name: &'static str,
        delete: impl FnMut(&mut dyn Tx) -> Result<u64, StoreError> + Clone + Send + 'static,
    ) -> Result<(), StoreError> {
        let mut purged = 0;
        loop {
            let deleted = self.context.units.run(name, delete.clone()).await?;
            purged += deleted;
            if deleted < u64::from(PURGE_AT_ONCE) {
                break;
            }
        }
        if purged > 0 {
            tracing::info!(rows = purged, "{name}: deleted outdated rows");
        }
        Ok(())
    }

    /// Returns the moment so many seconds ago.
    fn before(&self, seconds: i64) -> Timestamp {
        self.context.now().plus_seconds(seconds.saturating_neg())
    }
}
