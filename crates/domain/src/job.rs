//! Jobs: work that is done in the background, after the change that requested it.

use thiserror::Error;

use crate::id::{JobId, MarketId, PostId, UserId, WebhookId};

/// Task of a job. It holds ids and no data, so that the job runs with the data current at that
/// time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum JobTask {
    /// Close a market whose end date has passed.
    CloseMarket(MarketId),
    /// Send a welcome email to a new user.
    WelcomeMail(UserId),
    /// Send an email to a holder about the outcome of a market.
    DecisionMail {
        /// The market.
        market: MarketId,
        /// The holder.
        user: UserId,
    },
    /// Deliver the events of a market to a webhook.
    Webhook {
        /// The webhook.
        webhook: WebhookId,
        /// The market.
        market: MarketId,
    },
    /// Compute the embedding of a market's text.
    EmbedMarket(MarketId),
    /// Compute the embedding of a post's text, or delete the embedding of a draft.
    EmbedPost(PostId),
    /// Compute the embeddings of all texts, for example after a change of the model.
    EmbedAll,
    /// Delete stored command outcomes whose idempotency keys have expired.
    PurgeOutcomes,
    /// Delete sessions that have ended.
    PurgeSessions,
    /// Delete jobs that are done.
    PurgeJobs,
}

/// Kind of a [`JobTask`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum JobKind {
    /// Kind of [`JobTask::CloseMarket`].
    CloseMarket,
    /// Kind of [`JobTask::WelcomeMail`].
    WelcomeMail,
    /// Kind of [`JobTask::DecisionMail`].
    DecisionMail,
    /// Kind of [`JobTask::Webhook`].
    Webhook,
    /// Kind of [`JobTask::EmbedMarket`].
    EmbedMarket,
    /// Kind of [`JobTask::EmbedPost`].
    EmbedPost,
    /// Kind of [`JobTask::EmbedAll`].
    EmbedAll,
    /// Kind of [`JobTask::PurgeOutcomes`].
    PurgeOutcomes,
    /// Kind of [`JobTask::PurgeSessions`].
    PurgeSessions,
    /// Kind of [`JobTask::PurgeJobs`].
    PurgeJobs,
}

impl JobKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::CloseMarket,
        Self::WelcomeMail,
        Self::DecisionMail,
        Self::Webhook,
        Self::EmbedMarket,
        Self::EmbedPost,
        Self::EmbedAll,
        Self::PurgeOutcomes,
        Self::PurgeSessions,
        Self::PurgeJobs,
    ];

    /// Returns the name used in JSON and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CloseMarket => "close_market",
            Self::WelcomeMail => "welcome_mail",
            Self::DecisionMail => "decision_mail",
            Self::Webhook => "webhook",
            Self::EmbedMarket => "embed_market",
            Self::EmbedPost => "embed_post",
            Self::EmbedAll => "embed_all",
            Self::PurgeOutcomes => "purge_outcomes",
            Self::PurgeSessions => "purge_sessions",
            Self::PurgeJobs => "purge_jobs",
        }
    }

    /// Returns the kind with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Returns the queue in which jobs of this kind wait.
    pub const fn lane(self) -> JobLane {
        match self {
            Self::Webhook => JobLane::Webhooks,
            _ => JobLane::Main,
        }
    }
}

/// Queue of jobs. Jobs wait only for jobs of the same queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum JobLane {
    /// Work of this server alone.
    Main,
    /// Requests to other servers, whose duration depends on them.
    Webhooks,
}

impl JobLane {
    /// Every lane.
    pub const ALL: [Self; 2] = [Self::Main, Self::Webhooks];

    /// Returns the name used in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Webhooks => "webhooks",
        }
    }
}

impl JobTask {
    /// Returns the kind of the task.
    pub const fn kind(self) -> JobKind {
        match self {
            Self::CloseMarket(_) => JobKind::CloseMarket,
            Self::WelcomeMail(_) => JobKind::WelcomeMail,
            Self::DecisionMail { .. } => JobKind::DecisionMail,
            Self::Webhook { .. } => JobKind::Webhook,
            Self::EmbedMarket(_) => JobKind::EmbedMarket,
            Self::EmbedPost(_) => JobKind::EmbedPost,
            Self::EmbedAll => JobKind::EmbedAll,
            Self::PurgeOutcomes => JobKind::PurgeOutcomes,
            Self::PurgeSessions => JobKind::PurgeSessions,
            Self::PurgeJobs => JobKind::PurgeJobs,
        }
    }

    /// Returns the subject of the task, and the user or webhook concerned, as id values.
    pub const fn ids(self) -> (Option<u128>, Option<u128>) {
        match self {
            Self::CloseMarket(market) | Self::EmbedMarket(market) => (Some(market.as_u128()), None),
            Self::WelcomeMail(user) => (None, Some(user.as_u128())),
            Self::DecisionMail { market, user } => (Some(market.as_u128()), Some(user.as_u128())),
            Self::Webhook { webhook, market } => (Some(market.as_u128()), Some(webhook.as_u128())),
            Self::EmbedPost(post) => (Some(post.as_u128()), None),
            Self::EmbedAll | Self::PurgeOutcomes | Self::PurgeSessions | Self::PurgeJobs => {
                (None, None)
            }
        }
    }

    /// Returns the unique name of a task that may have one job only. Each holder gets one email
    /// about a settled market, and a market has one job that closes it.
    pub fn unique_name(self) -> Option<String> {
        let kind = self.kind().as_str();
        match self {
            Self::CloseMarket(market) => Some(format!("{kind}:{market}")),
            Self::DecisionMail { market, user } => Some(format!("{kind}:{market}:{user}")),
            _ => None,
        }
    }

    /// Returns the task of a kind with these ids, or `None` if the kind has other ids.
    pub fn from_parts(kind: JobKind, ids: (Option<u128>, Option<u128>)) -> Option<Self> {
        Some(match (kind, ids) {
            (JobKind::CloseMarket, (Some(market), None)) => {
                Self::CloseMarket(MarketId::from_u128(market))
            }
            (JobKind::WelcomeMail, (None, Some(user))) => {
                Self::WelcomeMail(UserId::from_u128(user))
            }
            (JobKind::DecisionMail, (Some(market), Some(user))) => Self::DecisionMail {
                market: MarketId::from_u128(market),
                user: UserId::from_u128(user),
            },
            (JobKind::Webhook, (Some(market), Some(webhook))) => Self::Webhook {
                webhook: WebhookId::from_u128(webhook),
                market: MarketId::from_u128(market),
            },
            (JobKind::EmbedMarket, (Some(market), None)) => {
                Self::EmbedMarket(MarketId::from_u128(market))
            }
            (JobKind::EmbedPost, (Some(post), None)) => Self::EmbedPost(PostId::from_u128(post)),
            (JobKind::EmbedAll, (None, None)) => Self::EmbedAll,
            (JobKind::PurgeOutcomes, (None, None)) => Self::PurgeOutcomes,
            (JobKind::PurgeSessions, (None, None)) => Self::PurgeSessions,
            (JobKind::PurgeJobs, (None, None)) => Self::PurgeJobs,
            _ => return None,
        })
    }
}

/// State of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum JobState {
    /// Waits for its time or for a worker.
    Waiting,
    /// A worker runs it.
    Running,
    /// Finished.
    Done,
    /// Failed after the maximum number of attempts; an operator must act.
    Dead,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Running, Self::Done, Self::Dead];

    /// Returns the name used in JSON and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }

    /// Returns the state with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// Reason why an operation on a job is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum JobError {
    /// There is no such job.
    #[error("job not found: {0}")]
    NotFound(JobId),
    /// A worker runs the job, or it is done.
    #[error("the job is {}", .0.as_str())]
    Busy(JobState),
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const TASKS: [JobTask; 10] = [
        JobTask::CloseMarket(MarketId::from_u128(1)),
        JobTask::WelcomeMail(UserId::from_u128(2)),
        JobTask::DecisionMail { market: MarketId::from_u128(1), user: UserId::from_u128(2) },
        JobTask::Webhook { webhook: WebhookId::from_u128(3), market: MarketId::from_u128(1) },
        JobTask::EmbedMarket(MarketId::from_u128(1)),
        JobTask::EmbedPost(PostId::from_u128(4)),
        JobTask::EmbedAll,
        JobTask::PurgeOutcomes,
        JobTask::PurgeSessions,
        JobTask::PurgeJobs,
    ];

    #[test]
    fn tasks_are_read_back_from_their_parts() {
        let kinds: BTreeSet<_> = TASKS.iter().map(|task| task.kind()).collect();
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), JobKind::ALL);
        for task in TASKS {
            assert_eq!(JobTask::from_parts(task.kind(), task.ids()), Some(task));
            let (about, concerned) = task.ids();
            let wrong = (about.xor(Some(9)), concerned);
            assert_eq!(JobTask::from_parts(task.kind(), wrong), None, "{task:?}");
        }
    }

    #[test]
    fn unique_names_differ_by_kind_and_ids() {
        let names: BTreeSet<_> = TASKS.iter().filter_map(|task| task.unique_name()).collect();
        let market = MarketId::from_u128(1);
        let user = UserId::from_u128(2);
        let expected = [format!("close_market:{market}"), format!("decision_mail:{market}:{user}")];
        assert_eq!(names.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn names_are_read_back() {
        for kind in JobKind::ALL {
            assert_eq!(JobKind::from_name(kind.as_str()), Some(kind));
        }
        for state in JobState::ALL {
            assert_eq!(JobState::from_name(state.as_str()), Some(state));
        }
        assert_eq!((JobKind::from_name("mail"), JobState::from_name("Done")), (None, None));
    }
}
