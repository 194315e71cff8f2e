//! Remembers for some seconds how many rows a filter lets through, since counting costs as much as there are.
//!
//! Whoever asks first counts, and the others wait for that count. What this process changes is counted anew at
//! once; what another one changes, or an end date that passes, is noticed within [`WINDOW_US`].

use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foretell_domain::id::UserId;
use foretell_domain::market::Phase;
use foretell_domain::time::Timestamp;
use foretell_ports::error::StoreError;
use foretell_ports::market::MarketFilter;
use moka::future::Cache;

/// How long a total is used, in microseconds.
const WINDOW_US: i64 = 5_000_000;

/// The most totals that are remembered: anyone can ask for what any creator or author has.
const MAX_TOTALS: u64 = 10_000;

/// What markets are counted by: a filter without the moment that it names.
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

/// What a total holds for: what is counted, since when nothing was changed here, and the window of time.
#[derive(PartialEq, Eq, Hash)]
struct Key<F> {
    filter: F,
    changes: u64,
    window: i64,
}

/// The totals that were asked for of late, by filters `F`.
pub(crate) struct Totals<F> {
    totals: Cache<Key<F>, i64>,
    /// Counts what this process did that may have changed a total.
    changes: AtomicU64,
}

impl<F: Eq + Hash + Send + Sync + 'static> Totals<F> {
    pub(crate) fn new() -> Self {
        let kept = Duration::from_micros(WINDOW_US.unsigned_abs());
        let totals = Cache::builder().max_capacity(MAX_TOTALS).time_to_live(kept).build();
        Self { totals, changes: AtomicU64::new(0) }
    }

    /// The total for this filter, by `count` if nobody has counted it yet.
    ///
    /// # Errors
    /// Those of counting; what several have waited for has failed for all of them, and they may try again.
    pub(crate) async fn get(
        &self,
        filter: F,
        now: Timestamp,
        count: impl Future<Output = Result<i64, StoreError>>,
    ) -> Result<i64, StoreError> {
        let changes = self.changes.load(Ordering::Acquire);
        let key = Key { filter, changes, window: now.micros().div_euclid(WINDOW_US) };
        let total = self.totals.try_get_with(key, count).await;
        let own = |shared| StoreError::Unavailable(Box::new(shared));
        total.map_err(|error| Arc::try_unwrap(error).unwrap_or_else(own))
    }

    /// Says that something was added, taken away or put under another filter; call it once that is stored.
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

    async fn total(totals: &Totals<CountedMarkets>, filter: &MarketFilter, now: i64, counted: i64) -> i64 {
        totals.get(filter.into(), at(now), async { Ok(counted) }).await.expect("counting succeeds")
    }

    #[tokio::test]
    async fn a_total_is_counted_once_in_a_window_and_anew_after_a_change() {
        let (totals, all) = (Totals::new(), MarketFilter::default());
        assert_eq!(total(&totals, &all, 0, 1).await, 1);
        assert_eq!(total(&totals, &all, WINDOW_US - 1, 2).await, 1);
        assert_eq!(total(&totals, &all, WINDOW_US, 3).await, 3);
        totals.forget();
        assert_eq!(total(&totals, &all, WINDOW_US, 4).await, 4);
    }

    #[tokio::test]
    async fn each_filter_has_its_own_total_whatever_moment_it_names() {
        let totals = Totals::new();
        let open = |now| MarketFilter { phase: Some((Phase::Open, at(now))), ..MarketFilter::default() };
        let sports = MarketFilter { category: Some("sports".to_owned()), ..MarketFilter::default() };
        let own = MarketFilter { creator_id: Some(UserId::from_u128(1)), ..MarketFilter::default() };
        for (counted, filter) in [(1, MarketFilter::default()), (2, open(0)), (3, sports), (4, own)] {
            assert_eq!(total(&totals, &filter, 0, counted).await, counted, "{filter:?}");
        }
        assert_eq!(total(&totals, &open(1), 1, 5).await, 2);
    }

    #[tokio::test]
    async fn a_failed_count_is_not_remembered() {
        let (totals, all) = (Totals::new(), MarketFilter::default());
        let failure = async { Err(StoreError::Unavailable("gone".into())) };
        assert!(totals.get((&all).into(), at(0), failure).await.is_err());
        assert_eq!(total(&totals, &all, 0, 7).await, 7);
    }
}
