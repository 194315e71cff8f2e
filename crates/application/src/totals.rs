//! Cache of row counts for some seconds, since counting is proportional to the number of rows.
//!
//! The first caller counts, and others wait for the result. A change by this process invalidates
//! its totals immediately; a change by another one, or an end date that passes, is visible within
//! [`WINDOW_US`].

use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foretell_domain::id::UserId;
use foretell_domain::market::Phase;
use foretell_domain::time::Timestamp;
use foretell_expiring_map::{Expiry, LoadingCache};
use foretell_ports::error::StoreError;
use foretell_ports::market::MarketFilter;

/// Lifetime of a total, in microseconds.
const WINDOW_US: i64 = 5_000_000;

/// Maximum number of totals: clients can request one for each creator and author.
const MAX_TOTALS: usize = 10_000;

/// Filter of counted markets, without its time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CountedMarkets {
    category: Option<String>,
    phase: Option<Phase>,
    creator_id: Option<UserId>,
}

impl From<&MarketFilter> for CountedMarkets {
    fn from(filter: &MarketFilter) -> Self {
        Self {
            category: filter.category.clone(),
            phase: filter.phase.map(|(phase, _)| phase),
            creator_id: filter.creator_id,
        }
    }
}

/// Cache key: the filter, the number of changes by this process, and the time window.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key<F> {
    filter: F,
    changes: u64,
    window: i64,
}

/// Recently requested totals, by filters `F`.
pub(crate) struct Totals<F: Eq + Hash> {
    totals: LoadingCache<Key<F>, i64, StoreError>,
    /// Number of this process's changes that may affect a total.
    changes: AtomicU64,
}

impl<F: Eq + Hash + Clone> Totals<F> {
    pub(crate) fn new() -> Self {
        let kept = Duration::from_micros(WINDOW_US.unsigned_abs());
        let totals = LoadingCache::new(MAX_TOTALS, Expiry::AfterWrite(kept));
        Self { totals, changes: AtomicU64::new(0) }
    }

    /// Returns the total for this filter; `count` computes it if it is not cached.
    ///
    /// # Errors
    /// The error of counting, for every caller that waited for it; they may try again.
    pub(crate) async fn get(
        &self,
        filter: F,
        now: Timestamp,
        count: impl Future<Output = Result<i64, StoreError>>,
    ) -> Result<i64, StoreError> {
        let changes = self.changes.load(Ordering::Acquire);
        let key = Key { filter, changes, window: now.micros().div_euclid(WINDOW_US) };
        let total = self.totals.get_or_load(key, count).await;
        let own = |shared| StoreError::Unavailable(Box::new(shared));
        total.map_err(|error| Arc::try_unwrap(error).unwrap_or_else(own))
    }

    /// Invalidates all totals; call it after a change is stored.
    pub(crate) fn forget(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    async fn total(
        totals: &Totals<CountedMarkets>,
        filter: &MarketFilter,
        now: i64,
        counted: i64,
    ) -> i64 {
        totals.get(filter.into(), at(now), async { Ok(counted) }).await.expect("counting succeeds")
    }

    #[tokio::test]
    async fn total_is_counted_once_per_window_and_change() {
        let (totals, all) = (Totals::new(), MarketFilter::default());
        assert_eq!(total(&totals, &all, 0, 1).await, 1);
        assert_eq!(total(&totals, &all, WINDOW_US - 1, 2).await, 1);
        assert_eq!(total(&totals, &all, WINDOW_US, 3).await, 3);
        totals.forget();
        assert_eq!(total(&totals, &all, WINDOW_US, 4).await, 4);
    }

    #[tokio::test]
    async fn filters_have_totals_independent_of_time() {
        let totals = Totals::new();
        let open =
            |now| MarketFilter { phase: Some((Phase::Open, at(now))), ..MarketFilter::default() };
        let sports =
            MarketFilter { category: Some("sports".to_owned()), ..MarketFilter::default() };
        let own =
            MarketFilter { creator_id: Some(UserId::from_u128(1)), ..MarketFilter::default() };
        for (counted, filter) in [(1, MarketFilter::default()), (2, open(0)), (3, sports), (4, own)]
        {
            assert_eq!(total(&totals, &filter, 0, counted).await, counted, "{filter:?}");
        }
        assert_eq!(total(&totals, &open(1), 1, 5).await, 2);
    }

    #[tokio::test]
    async fn failed_count_is_not_cached() {
        let (totals, all) = (Totals::new(), MarketFilter::default());
        let failure = async { Err(StoreError::Unavailable("gone".into())) };
        assert!(totals.get((&all).into(), at(0), failure).await.is_err());
        assert_eq!(total(&totals, &all, 0, 7).await, 7);
    }
}
