//! Event feed of markets with followers: each event is read once for all followers.
//!
//! Events are read from storage only, so that none is lost whichever process commits it. The money
//! writer wakes the followers of a market immediately after a commit; commits of other processes
//! are polled once a second.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use foretell_domain::id::MarketId;
use foretell_domain::market::Bet;
use foretell_ports::error::StoreError;
use foretell_ports::market::{MarketDetails, MarketQueries};
use foretell_ports::page::{PageRequest, PageStart};
use tokio::sync::watch;
use tokio::time::Instant;

/// Polling interval for changes by other processes.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Number of a market's newest bets and sales that are kept for its followers.
const KEPT_BETS: usize = 256;

/// Maximum number of bets and sales in one query.
const BETS_AT_ONCE: u32 = 100;

/// Maximum number of bets and sales sent to a follower who is behind: older ones are skipped.
pub(crate) const MAX_REPLAY: i64 = 2_000;

/// Markets with followers.
#[derive(Default)]
pub(crate) struct MarketFeed {
    watched: Mutex<HashMap<MarketId, Weak<WatchedMarket>>>,
}

impl MarketFeed {
    /// Returns a market for a new follower.
    pub(crate) fn watch(&self, id: MarketId) -> Arc<WatchedMarket> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.retain(|_, market| market.strong_count() > 0);
        if let Some(market) = watched.get(&id).and_then(Weak::upgrade) {
            return market;
        }
        let market = Arc::new(WatchedMarket::new(id));
        watched.insert(id, Arc::downgrade(&market));
        market
    }

    /// Announces that a commit has changed these markets.
    pub(crate) fn announce(&self, changed: impl Iterator<Item = MarketId>) {
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.is_empty() {
            return;
        }
        for market in changed.filter_map(|id| watched.get(&id).and_then(Weak::upgrade)) {
            market.changes.send_modify(|changes| *changes += 1);
        }
    }
}

/// A market with followers.
pub(crate) struct WatchedMarket {
    id: MarketId,
    /// Number of changes by this process.
    changes: watch::Sender<u64>,
    /// Last state read; a follower who finds it outdated reads it again while the others wait.
    latest: tokio::sync::Mutex<Option<Latest>>,
}

/// State of a market with the time of the query.
struct Latest {
    read_at: Instant,
    changes: u64,
    details: Arc<MarketDetails>,
    /// The newest bets and sales in order, without gaps up to the last, except for unreadable ones.
    bets: VecDeque<Arc<Bet>>,
}

/// Events that a follower has not seen yet.
pub(crate) struct MarketUpdate {
    /// Current state of the market.
    pub(crate) details: Arc<MarketDetails>,
    /// The next bets and sales in order; if there are none, the follower has seen all that
    /// `details` counts, unless some were skipped.
    pub(crate) bets: Vec<Arc<Bet>>,
    /// Last bet or sale that is skipped because the follower is too far behind.
    pub(crate) skipped_until: Option<i64>,
    /// Number of the last bet or sale that was read; unreadable ones are left out.
    pub(crate) end: i64,
}

impl WatchedMarket {
    fn new(id: MarketId) -> Self {
        Self { id, changes: watch::Sender::new(0), latest: tokio::sync::Mutex::new(None) }
    }

    /// Returns a receiver that is notified of each change by this process.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Returns the events after bet or sale `sequence`; `None` if the market was deleted.
    pub(crate) async fn updates_after(
        &self,
        sequence: i64,
        markets: &dyn MarketQueries,
    ) -> Result<Option<MarketUpdate>, StoreError> {
        let Some((details, kept)) = self.latest_after(sequence, markets).await? else {
            return Ok(None);
        };
        let oldest = details.market.record().bet_count.saturating_sub(MAX_REPLAY);
        if sequence < oldest {
            return Ok(Some(MarketUpdate {
                details,
                bets: Vec::new(),
                skipped_until: Some(oldest),
                end: oldest,
            }));
        }
        let (bets, end) = match kept {
            Some(bets) => (bets, details.market.record().bet_count),
            // Older than the kept bets: read for this follower alone, without blocking the others.
            None => read_bets(self.id, sequence, &details, markets).await?,
        };
        Ok(Some(MarketUpdate { details, bets, skipped_until: None, end }))
    }

    /// Returns the market, and the bets and sales after `sequence` if they are kept.
    async fn latest_after(
        &self,
        sequence: i64,
        markets: &dyn MarketQueries,
    ) -> Result<Option<(Arc<MarketDetails>, Option<Vec<Arc<Bet>>>)>, StoreError> {
        let mut latest = self.latest.lock().await;
        // Taken before the market is read: any later change makes the result outdated.
        let changes = *self.changes.borrow();
        let is_recent =
            |latest: &Latest| latest.changes == changes && latest.read_at.elapsed() < POLL_INTERVAL;
        if !latest.as_ref().is_some_and(is_recent) {
            *latest = self.read(latest.take(), changes, markets).await?;
        }
        Ok(latest.as_ref().map(|latest| (Arc::clone(&latest.details), latest.bets_after(sequence))))
    }

    async fn read(
        &self,
        before: Option<Latest>,
        changes: u64,
        markets: &dyn MarketQueries,
    ) -> Result<Option<Latest>, StoreError> {
        let read_at = Instant::now();
        let Some(details) = markets.find_market(self.id).await? else { return Ok(None) };
        let mut bets = before.map(|before| before.bets).unwrap_or_default();
        let count = details.market.record().bet_count;
        let last = bets.back().map_or(i64::MIN, |bet| bet.fill.sequence);
        // If the market has grown by more than one query returns, only the newest bets are kept.
        let newest = count.saturating_sub(i64::from(BETS_AT_ONCE)).max(0);
        if last < newest {
            bets.clear();
        }
        bets.extend(read_bets(self.id, last.max(newest), &details, markets).await?.0);
        bets.drain(..bets.len().saturating_sub(KEPT_BETS));
        Ok(Some(Latest { read_at, changes, details: Arc::new(details), bets }))
    }
}

impl Latest {
    /// Returns the bets and sales after `sequence`; `None` if some of them are not kept.
    fn bets_after(&self, sequence: i64) -> Option<Vec<Arc<Bet>>> {
        let count = self.details.market.record().bet_count;
        if sequence >= count {
            return Some(Vec::new());
        }
        let first = self.bets.front().map(|bet| bet.fill.sequence)?;
        let last = self.bets.back().map(|bet| bet.fill.sequence)?;
        if first > sequence + 1 || last <= sequence {
            return None;
        }
        let after = self.bets.iter().filter(|bet| bet.fill.sequence > sequence);
        Some(after.cloned().collect())
    }
}

/// Reads at most [`BETS_AT_ONCE`] bets and sales after `sequence` in order, none newer than
/// `details`. Also returns the number of the last one read, since unreadable bets are left out.
pub(crate) async fn read_bets(
    id: MarketId,
    sequence: i64,
    details: &MarketDetails,
    markets: &dyn MarketQueries,
) -> Result<(Vec<Arc<Bet>>, i64), StoreError> {
    let end =
        details.market.record().bet_count.min(sequence.saturating_add(i64::from(BETS_AT_ONCE)));
    let limit = u32::try_from(end.saturating_sub(sequence)).unwrap_or(0);
    if limit == 0 {
        return Ok((Vec::new(), sequence));
    }
    let page = markets
        .page_bets(id, PageRequest { start: PageStart::After(end.saturating_add(1)), limit })
        .await?;
    // The page replaces unreadable bets by older ones, which must be dropped.
    let wanted = page.rows.into_iter().filter(|bet| bet.fill.sequence > sequence);
    let mut bets: Vec<_> = wanted.map(Arc::new).collect();
    bets.reverse();
    Ok((bets, end))
}
