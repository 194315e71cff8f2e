//! What happens in markets that somebody follows: each piece of news is read once for all followers.
//!
//! News is read from storage alone, so nothing is lost whichever process it comes from. The money writer wakes
//! the followers of a market at once after a commit; what other processes commit is looked for once a second.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use foretell_domain::id::MarketId;
use foretell_domain::market::Bet;
use foretell_ports::error::StoreError;
use foretell_ports::market::{MarketDetails, MarketQueries};
use foretell_ports::page::{Start, Stretch};
use tokio::sync::watch;
use tokio::time::Instant;

/// After how long a market is looked at again though this process changed nothing of it.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The newest bets and sales of a market that are kept for its followers.
const KEPT_BETS: usize = 256;

/// The most bets and sales that are read at once.
const BETS_AT_ONCE: u32 = 100;

/// The most bets and sales that are sent to a follower who has fallen behind: older ones are skipped.
pub(crate) const MAX_REPLAY: i64 = 2_000;

/// The markets that are followed.
#[derive(Default)]
pub(crate) struct MarketFeed {
    followed: Mutex<HashMap<MarketId, Weak<FollowedMarket>>>,
}

impl MarketFeed {
    /// A market for one more follower.
    pub(crate) fn follow(&self, id: MarketId) -> Arc<FollowedMarket> {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        followed.retain(|_, market| market.strong_count() > 0);
        if let Some(market) = followed.get(&id).and_then(Weak::upgrade) {
            return market;
        }
        let market = Arc::new(FollowedMarket::new(id));
        followed.insert(id, Arc::downgrade(&market));
        market
    }

    /// Says that a commit has changed these markets.
    pub(crate) fn announce(&self, changed: impl Iterator<Item = MarketId>) {
        let followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        if followed.is_empty() {
            return;
        }
        for market in changed.filter_map(|id| followed.get(&id).and_then(Weak::upgrade)) {
            market.changes.send_modify(|changes| *changes += 1);
        }
    }
}

/// A market that is followed.
pub(crate) struct FollowedMarket {
    id: MarketId,
    /// Counts the changes by this process.
    changes: watch::Sender<u64>,
    /// What was last read of it; whoever finds that outdated reads it anew while the others wait.
    latest: tokio::sync::Mutex<Option<Latest>>,
}

/// What was read of a market, and when.
struct Latest {
    read_at: Instant,
    changes: u64,
    details: Arc<MarketDetails>,
    /// The newest bets and sales in their order, without a gap up to the last but for those that cannot be read.
    bets: VecDeque<Arc<Bet>>,
}

/// What a follower has not seen yet.
pub(crate) struct News {
    /// The market as it was read.
    pub(crate) details: Arc<MarketDetails>,
    /// Its next bets and sales in their order; where there are none, the follower has seen all that `details`
    /// counts, unless some were skipped.
    pub(crate) bets: Vec<Arc<Bet>>,
    /// The last bet or sale that is skipped because the follower is too far behind.
    pub(crate) skipped_until: Option<i64>,
    /// The number of the last bet or sale that was looked at; those that cannot be read are left out.
    pub(crate) end: i64,
}

impl FollowedMarket {
    fn new(id: MarketId) -> Self {
        Self { id, changes: watch::Sender::new(0), latest: tokio::sync::Mutex::new(None) }
    }

    /// Tells of each change by this process.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// What came after bet or sale `sequence`; `None` if the market is gone.
    pub(crate) async fn news_after(
        &self,
        sequence: i64,
        markets: &dyn MarketQueries,
    ) -> Result<Option<News>, StoreError> {
        let Some((details, kept)) = self.latest_after(sequence, markets).await? else { return Ok(None) };
        let oldest = details.market.record().bet_count.saturating_sub(MAX_REPLAY);
        if sequence < oldest {
            return Ok(Some(News { details, bets: Vec::new(), skipped_until: Some(oldest), end: oldest }));
        }
        let (bets, end) = match kept {
            Some(bets) => (bets, details.market.record().bet_count),
            // Too far back for what is kept: read for this follower alone, while the others go on.
            None => read_bets(self.id, sequence, &details, markets).await?,
        };
        Ok(Some(News { details, bets, skipped_until: None, end }))
    }

    /// The market, and the bets and sales after `sequence` if they are kept.
    async fn latest_after(
        &self,
        sequence: i64,
        markets: &dyn MarketQueries,
    ) -> Result<Option<(Arc<MarketDetails>, Option<Vec<Arc<Bet>>>)>, StoreError> {
        let mut latest = self.latest.lock().await;
        // Before the market is read: a change from here on makes it outdated.
        let changes = *self.changes.borrow();
        let is_recent = |latest: &Latest| latest.changes == changes && latest.read_at.elapsed() < LOOK_AGAIN;
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
        // Of what has grown by more than is read at once, only the newest are worth keeping.
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
    /// The bets and sales after `sequence`; `None` if some of them are not kept.
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

/// At most [`BETS_AT_ONCE`] bets and sales after `sequence` in their order, none of them newer than `details`, and
/// the number of the last one that was looked at: bets that cannot be read are left out.
pub(crate) async fn read_bets(
    id: MarketId,
    sequence: i64,
    details: &MarketDetails,
    markets: &dyn MarketQueries,
) -> Result<(Vec<Arc<Bet>>, i64), StoreError> {
    let end = details.market.record().bet_count.min(sequence.saturating_add(i64::from(BETS_AT_ONCE)));
    let limit = u32::try_from(end.saturating_sub(sequence)).unwrap_or(0);
    if limit == 0 {
        return Ok((Vec::new(), sequence));
    }
    let page = markets.page_bets(id, Stretch { start: Start::After(end.saturating_add(1)), limit }).await?;
    // Unreadable bets are replaced by older ones, which are not wanted here.
    let wanted = page.rows.into_iter().filter(|bet| bet.fill.sequence > sequence);
    let mut bets: Vec<_> = wanted.map(Arc::new).collect();
    bets.reverse();
    Ok((bets, end))
}
