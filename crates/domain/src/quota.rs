//! Quotas: the maximum number of each kind of resource per user.

use std::fmt;

use thiserror::Error;

use crate::market::MarketError;
use crate::money::Amount;
use crate::post::PostStatus;

/// Kind of resource that is limited per user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "camelCase")
)]
pub enum Quota {
    /// Published posts.
    PublishedPosts,
    /// Drafts.
    Drafts,
    /// Comments on posts and markets.
    Comments,
    /// Markets in the phase open, until they are closed, resolved, cancelled or deleted.
    OpenMarkets,
    /// API keys, expired ones included.
    ApiKeys,
}

impl Quota {
    /// Every quota.
    pub const ALL: [Self; 5] =
        [Self::PublishedPosts, Self::Drafts, Self::Comments, Self::OpenMarkets, Self::ApiKeys];

    /// Returns the quota in which a post of this status is counted.
    pub const fn of_post(status: PostStatus) -> Self {
        match status {
            PostStatus::Published => Self::PublishedPosts,
            PostStatus::Draft => Self::Drafts,
        }
    }

    /// Returns the name used in JSON and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PublishedPosts => "publishedPosts",
            Self::Drafts => "drafts",
            Self::Comments => "comments",
            Self::OpenMarkets => "openMarkets",
            Self::ApiKeys => "apiKeys",
        }
    }

    /// Returns the quota with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|quota| quota.as_str() == name)
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::PublishedPosts => "published post",
            Self::Drafts => "draft",
            Self::Comments => "comment",
            Self::OpenMarkets => "open market",
            Self::ApiKeys => "API key",
        }
    }
}

/// Limits per user, set by the operator. A limit of 0 allows none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Quotas {
    /// Maximum number of published posts.
    pub published_posts: u32,
    /// Maximum number of drafts.
    pub drafts: u32,
    /// Maximum number of comments.
    pub comments: u32,
    /// Maximum number of open markets.
    pub open_markets: u32,
    /// Maximum number of API keys.
    pub api_keys: u32,
    /// Maximum number of live sessions. Another sign-in is never rejected: it ends the oldest
    /// session.
    pub sessions: u32,
    /// Minimum subsidy of a market; `None` allows any.
    pub min_subsidy: Option<Amount>,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            published_posts: 1_000,
            drafts: 100,
            comments: 10_000,
            open_markets: 200,
            api_keys: 50,
            sessions: 100,
            min_subsidy: None,
        }
    }
}

impl Quotas {
    /// Returns the limit of a quota.
    pub const fn limit(&self, quota: Quota) -> u32 {
        match quota {
            Quota::PublishedPosts => self.published_posts,
            Quota::Drafts => self.drafts,
            Quota::Comments => self.comments,
            Quota::OpenMarkets => self.open_markets,
            Quota::ApiKeys => self.api_keys,
        }
    }

    /// Checks that a user who has `count` may create one more.
    ///
    /// # Errors
    /// [`QuotaExceeded`] if the limit is reached, also if it was lowered below the current number.
    pub const fn check(&self, quota: Quota, count: u32) -> Result<(), QuotaExceeded> {
        let limit = self.limit(quota);
        if count < limit { Ok(()) } else { Err(QuotaExceeded { quota, limit }) }
    }

    /// Checks the subsidy of a new market.
    ///
    /// # Errors
    /// [`MarketError::SubsidyTooSmall`].
    pub fn check_subsidy(&self, subsidy: Amount) -> Result<(), MarketError> {
        match self.min_subsidy {
            Some(min) if subsidy < min => Err(MarketError::SubsidyTooSmall { min }),
            _ => Ok(()),
        }
    }
}

/// The user has reached a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct QuotaExceeded {
    /// The quota.
    pub quota: Quota,
    /// The limit of the quota.
    pub limit: u32,
}

impl fmt::Display for QuotaExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ending = if self.limit == 1 { "" } else { "s" };
        write!(f, "a user has at most {} {}{ending}", self.limit, self.quota.noun())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTAS: Quotas = Quotas {
        published_posts: 3,
        drafts: 1,
        comments: 0,
        open_markets: 4,
        api_keys: u32::MAX,
        sessions: 7,
        min_subsidy: None,
    };

    #[test]
    fn quota_allows_one_more_below_its_limit() {
        let check = |quota, count, expected: Result<(), &str>| {
            let result = QUOTAS.check(quota, count).map_err(|exceeded| exceeded.to_string());
            assert_eq!(result, expected.map_err(str::to_owned), "{quota:?} {count}");
        };
        check(Quota::PublishedPosts, 0, Ok(()));
        check(Quota::PublishedPosts, 2, Ok(()));
        check(Quota::PublishedPosts, 3, Err("a user has at most 3 published posts"));
        check(Quota::PublishedPosts, 9, Err("a user has at most 3 published posts"));
        check(Quota::Drafts, 0, Ok(()));
        check(Quota::Drafts, 1, Err("a user has at most 1 draft"));
        check(Quota::Comments, 0, Err("a user has at most 0 comments"));
        check(Quota::OpenMarkets, 4, Err("a user has at most 4 open markets"));
        check(Quota::ApiKeys, u32::MAX - 1, Ok(()));
        check(Quota::ApiKeys, u32::MAX, Err("a user has at most 4294967295 API keys"));
    }

    #[test]
    fn subsidy_is_at_least_the_minimum() {
        let amount = |minor| Amount::new(minor).unwrap();
        let min = amount(100);
        let quotas = Quotas { min_subsidy: Some(min), ..QUOTAS };
        for (subsidy, expected) in
            [(1, false), (99, false), (100, true), (101, true), (i64::MAX, true)]
        {
            let refused = Err(MarketError::SubsidyTooSmall { min });
            let expected = if expected { Ok(()) } else { refused };
            assert_eq!(quotas.check_subsidy(amount(subsidy)), expected, "{subsidy}");
            assert_eq!(QUOTAS.check_subsidy(amount(subsidy)), Ok(()), "{subsidy}");
        }
    }

    #[test]
    fn names_are_read_back() {
        for quota in Quota::ALL {
            assert_eq!(Quota::from_name(quota.as_str()), Some(quota));
        }
        assert_eq!(Quota::from_name("sessions"), None);
    }

    #[test]
    fn posts_count_in_the_quota_of_their_status() {
        assert_eq!(Quota::of_post(PostStatus::Published), Quota::PublishedPosts);
        assert_eq!(Quota::of_post(PostStatus::Draft), Quota::Drafts);
    }
}
