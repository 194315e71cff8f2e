//! Jobs: what is done in the background, after the change that wants it.

use thiserror::Error;

use crate::id::{JobId, MarketId, PostId, UserId, WebhookId};

/// What is to be done. It names what it is about and says nothing of it, so that it is done with what is true by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobTask {
    /// Close a market whose end date has come.
    CloseMarket(MarketId),
    /// Welcome a new user by mail.
    WelcomeMail(UserId),
    /// Write to a holder how a market has ended.
    DecisionMail {
        /// The market.
        market: MarketId,
        /// The holder.
        user: UserId,
    },
    /// Tell a webhook what has happened in a market.
    Webhook {
        /// The webhook.
        webhook: WebhookId,
        /// The market.
        market: MarketId,
    },
    /// Make a market's text comparable by its meaning.
    EmbedMarket(MarketId),
    /// Make a post's text comparable by its meaning, or see to it that a draft is not found.
    EmbedPost(PostId),
    /// Do so with every text there is, as when the model is another.
    EmbedAll,
    /// Forget outcomes of commands whose keys are too old to be honoured.
    PurgeOutcomes,
    /// Forget sessions that have ended.
    PurgeSessions,
    /// Forget jobs that are done.
    PurgeJobs,
}

/// The kinds of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum JobKind {
    /// Of [`JobTask::CloseMarket`].
    CloseMarket,
    /// Of [`JobTask::WelcomeMail`].
    WelcomeMail,
    /// Of [`JobTask::DecisionMail`].
    DecisionMail,
    /// Of [`JobTask::Webhook`].
    Webhook,
    /// Of [`JobTask::EmbedMarket`].
    EmbedMarket,
    /// Of [`JobTask::EmbedPost`].
    EmbedPost,
    /// Of [`JobTask::EmbedAll`].
    EmbedAll,
    /// Of [`JobTask::PurgeOutcomes`].
    PurgeOutcomes,
    /// Of [`JobTask::PurgeSessions`].
    PurgeSessions,
    /// Of [`JobTask::PurgeJobs`].
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

    /// The name on the wire and in storage.
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

    /// The kind of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Among which jobs it waits.
    pub const fn lane(self) -> JobLane {
        match self {
            Self::Webhook => JobLane::Webhooks,
            _ => JobLane::Main,
        }
    }
}

/// Jobs that wait for each other: those of one lane never wait for those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobLane {
    /// What this server does by itself.
    Main,
    /// What takes as long as others let it.
    Webhooks,
}

impl JobLane {
    /// Every lane.
    pub const ALL: [Self; 2] = [Self::Main, Self::Webhooks];

    /// The name in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Webhooks => "webhooks",
        }
    }
}

impl JobTask {
    /// Its kind.
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

    /// What it is about, and who is concerned, as numbers of ids.
    pub const fn ids(self) -> (Option<u128>, Option<u128>) {
        match self {
            Self::CloseMarket(market) | Self::EmbedMarket(market) => (Some(market.as_u128()), None),
            Self::WelcomeMail(user) => (None, Some(user.as_u128())),
            Self::DecisionMail { market, user } => (Some(market.as_u128()), Some(user.as_u128())),
            Self::Webhook { webhook, market } => (Some(market.as_u128()), Some(webhook.as_u128())),
            Self::EmbedPost(post) => (Some(post.as_u128()), None),
            Self::EmbedAll | Self::PurgeOutcomes | Self::PurgeSessions | Self::PurgeJobs => (None, None),
        }
    }

    /// The name of the only job of this task, if there is only one. A settled market is told to each holder once, and a
    /// market has one job that closes it.
    pub fn unique_name(self) -> Option<String> {
        let kind = self.kind().as_str();
        match self {
            Self::CloseMarket(market) => Some(format!("{kind}:{market}")),
            Self::DecisionMail { market, user } => Some(format!("{kind}:{market}:{user}")),
            _ => None,
        }
    }

    /// The task of a kind with these ids; nothing if they are not the ids that it has.
    pub fn from_parts(kind: JobKind, ids: (Option<u128>, Option<u128>)) -> Option<Self> {
        Some(match (kind, ids) {
            (JobKind::CloseMarket, (Some(market), None)) => Self::CloseMarket(MarketId::from_u128(market)),
            (JobKind::WelcomeMail, (None, Some(user))) => Self::WelcomeMail(UserId::from_u128(user)),
            (JobKind::DecisionMail, (Some(market), Some(user))) => {
                Self::DecisionMail { market: MarketId::from_u128(market), user: UserId::from_u128(user) }
            }
            (JobKind::Webhook, (Some(market), Some(webhook))) => {
                Self::Webhook { webhook: WebhookId::from_u128(webhook), market: MarketId::from_u128(market) }
            }
            (JobKind::EmbedMarket, (Some(market), None)) => Self::EmbedMarket(MarketId::from_u128(market)),
            (JobKind::EmbedPost, (Some(post), None)) => Self::EmbedPost(PostId::from_u128(post)),
            (JobKind::EmbedAll, (None, None)) => Self::EmbedAll,
            (JobKind::PurgeOutcomes, (None, None)) => Self::PurgeOutcomes,
            (JobKind::PurgeSessions, (None, None)) => Self::PurgeSessions,
            (JobKind::PurgeJobs, (None, None)) => Self::PurgeJobs,
            _ => return None,
        })
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum JobState {
    /// It waits for its time, or for a worker.
    Waiting,
    /// A worker is at it.
    Running,
    /// It is done.
    Done,
    /// It has failed as often as it is tried; somebody must look.
    Dead,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Running, Self::Done, Self::Dead];

    /// The name on the wire and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }

    /// The state of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// Why something about jobs is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum JobError {
    /// There is no such job.
    #[error("job not found: {0}")]
    NotFound(JobId),
    /// A worker is at it, or it is done.
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
