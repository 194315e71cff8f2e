//! Cache of leaderboards for some seconds, since computing one reads every trade of a period.
//!
//! The first caller computes the leaderboard, and others wait for it. A new trade is visible after
//! the window has passed.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use foretell_domain::time::Timestamp;
use foretell_expiring_map::{Expiry, LoadingCache};
use foretell_ports::error::StoreError;
use foretell_ports::portfolio::Profit;

/// Maximum number of users on a leaderboard.
pub const MAX_RANKED: u32 = 10_000;

/// An hour, in microseconds.
const HOUR_US: i64 = 3_600_000_000;

/// Period of a leaderboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    /// The last 24 hours.
    Day,
    /// The last 7 days.
    Week,
    /// The last 30 days.
    Month,
    /// Since the first trade.
    All,
}

impl Period {
    /// All periods, with their names in JSON.
    pub const NAMED: [(&str, Self); 4] =
        [("day", Self::Day), ("week", Self::Week), ("month", Self::Month), ("all", Self::All)];

    /// Returns the length, in microseconds.
    const fn length_us(self) -> Option<i64> {
        match self {
            Self::Day => Some(24 * HOUR_US),
            Self::Week => Some(7 * 24 * HOUR_US),
            Self::Month => Some(30 * 24 * HOUR_US),
            Self::All => None,
        }
    }

    /// Returns the lifetime of a leaderboard, in microseconds: the longer the period, the more it
    /// costs.
    const fn window_us(self) -> i64 {
        match self {
            Self::Day => 10_000_000,
            Self::Week => 30_000_000,
            Self::Month | Self::All => 60_000_000,
        }
    }

    /// Returns the start of the period, the same for a whole window.
    fn since(self, window: i64) -> Option<Timestamp> {
        let begin = window.saturating_mul(self.window_us());
        self.length_us().map(|length| Timestamp::from_micros(begin.saturating_sub(length)))
    }
}

/// Maximum number of cached leaderboards: those of two windows of each period, and some to spare.
const MAX_LEADERBOARDS: usize = 16;

/// Recently requested leaderboards.
pub(crate) struct Leaderboards(LoadingCache<(Period, i64), Arc<[Profit]>, StoreError>);

impl Leaderboards {
    pub(crate) fn new() -> Self {
        let kept = Duration::from_micros(Period::All.window_us().unsigned_abs());
        Self(LoadingCache::new(MAX_LEADERBOARDS, Expiry::AfterWrite(kept)))
    }

    /// Returns the leaderboard of a period; `rank` computes it from the start of the period if it
    /// is not cached.
    pub(crate) async fn get<F>(
        &self,
        period: Period,
        now: Timestamp,
        rank: impl FnOnce(Option<Timestamp>) -> F,
    ) -> Result<Arc<[Profit]>, Arc<StoreError>>
    where
        F: Future<Output = Result<Vec<Profit>, StoreError>>,
    {
        let window = now.micros().div_euclid(period.window_us());
        let ranked = rank(period.since(window));
        self.0.get_or_load((period, window), async { Ok(ranked.await?.into()) }).await
    }
}

#[cfg(test)]
mod tests {
    use foretell_domain::id::UserId;

    use super::*;

    const DAY_US: i64 = 24 * HOUR_US;

    async fn profit(
        boards: &Leaderboards,
        period: Period,
        now_us: i64,
        profit_minor: i64,
    ) -> (i64, Option<i64>) {
        let mut asked_since = None;
        let rank = |since: Option<Timestamp>| {
            asked_since = since.map(Timestamp::micros);
            async move { Ok(vec![Profit { user_id: UserId::from_u128(1), profit_minor }]) }
        };
        let board =
            boards.get(period, Timestamp::from_micros(now_us), rank).await.expect("an answer");
        (board[0].profit_minor, asked_since)
    }

    #[tokio::test]
    async fn leaderboard_is_computed_once_per_window() {
        let boards = Leaderboards::new();
        let now = 100 * DAY_US;
        assert_eq!(profit(&boards, Period::Day, now, 1).await, (1, Some(99 * DAY_US)));
        assert_eq!(profit(&boards, Period::Day, now + 9_999_999, 2).await.0, 1);
        assert_eq!(
            profit(&boards, Period::Day, now + 10_000_000, 3).await,
            (3, Some(99 * DAY_US + 10_000_000))
        );
        assert_eq!(profit(&boards, Period::Week, now, 4).await, (4, Some(93 * DAY_US)));
        assert_eq!(profit(&boards, Period::Month, now, 5).await, (5, Some(70 * DAY_US)));
        assert_eq!(profit(&boards, Period::All, now + 59_999_999, 6).await, (6, None));
        assert_eq!(profit(&boards, Period::All, now, 7).await.0, 6);
    }

    #[tokio::test]
    async fn failure_is_not_cached() {
        let boards = Leaderboards::new();
        let fail = |_| async { Err(StoreError::Unavailable("gone".into())) };
        assert!(boards.get(Period::All, Timestamp::from_micros(0), fail).await.is_err());
        assert_eq!(profit(&boards, Period::All, 0, 7).await.0, 7);
    }
}
