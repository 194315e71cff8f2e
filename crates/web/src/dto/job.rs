//! Response types of jobs, for admins.

use foretell_domain::id::{JobId, MarketId, UserId, WebhookId};
use foretell_domain::job::JobTask;
use foretell_ports::job::Job;
use serde::Serialize;
use utoipa::ToSchema;

use super::text::Text;
use super::time::Time;
use crate::openapi::names::{Id, JobStateName};

/// A job, with the ids of its subject.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobView<'a> {
    #[schema(value_type = Id)]
    id: Text<JobId>,
    /// Kind of the job, or a kind of another version of the server.
    kind: &'a str,
    #[schema(value_type = JobStateName)]
    state: &'static str,
    #[schema(value_type = Option<Id>)]
    market_id: Option<Text<MarketId>>,
    #[schema(value_type = Option<Id>)]
    user_id: Option<Text<UserId>>,
    #[schema(value_type = Option<Id>)]
    webhook_id: Option<Text<WebhookId>>,
    failures: u32,
    error: Option<&'a str>,
    created_at: Time,
    due_at: Option<Time>,
    finished_at: Option<Time>,
}

impl<'a> JobView<'a> {
    /// Creates the response from a job.
    pub(crate) fn new(job: &'a Job) -> Self {
        let (market, user, webhook) = match job.task.as_ref().ok().copied() {
            Some(JobTask::CloseMarket(market) | JobTask::EmbedMarket(market)) => {
                (Some(market), None, None)
            }
            Some(JobTask::WelcomeMail(user)) => (None, Some(user), None),
            Some(JobTask::DecisionMail { market, user }) => (Some(market), Some(user), None),
            Some(JobTask::Webhook { webhook, market }) => (Some(market), None, Some(webhook)),
            Some(
                JobTask::EmbedPost(_)
                | JobTask::EmbedAll
                | JobTask::PurgeOutcomes
                | JobTask::PurgeSessions
                | JobTask::PurgeJobs,
            )
            | None => (None, None, None),
        };
        Self {
            id: Text(job.id),
            kind: job.kind(),
            state: job.state.as_str(),
            market_id: market.map(Text),
            user_id: user.map(Text),
            webhook_id: webhook.map(Text),
            failures: job.failures,
            error: job.error.as_deref(),
            created_at: Time(job.created_at),
            due_at: job.due_at.map(Time),
            finished_at: job.finished_at.map(Time),
        }
    }
}

#[cfg(test)]
mod tests {
    use foretell_domain::job::JobKind;
    use serde_json::{Value, json};

    #[test]
    fn document_lists_every_job_kind() {
        let document: Value = serde_json::from_str(crate::openapi_json()).unwrap();
        let kinds = JobKind::ALL.map(JobKind::as_str);
        assert_eq!(document["components"]["schemas"]["JobKindName"]["enum"], json!(kinds));
    }
}
