//! Number of a creator's open markets in the middle of a batch.

use std::collections::hash_map::Entry;

use foretell_domain::id::UserId;
use foretell_domain::market::{Market, Phase};
use foretell_domain::quota::Quota;
use foretell_ports::error::StoreError;
use foretell_ports::unit::Tx;

use super::BatchState;

impl BatchState {
    /// Returns the number of open markets of the owner of a locked account: those stored, plus
    /// those opened earlier in the batch, minus those that it has closed, decided or deleted.
    /// Opening a market locks this account, so no other unit adds one.
    pub(in crate::writer) fn count_open_markets(
        &mut self,
        tx: &mut dyn Tx,
        creator: UserId,
    ) -> Result<u32, StoreError> {
        // Counted once per batch: nothing is written before its end, so the stored number stays the
        // same.
        let stored = match self.open_markets.entry(creator) {
            Entry::Occupied(counted) => *counted.get(),
            Entry::Vacant(uncounted) => {
                *uncounted.insert(tx.count_for_quota(creator, Quota::OpenMarkets)?)
            }
        };
        let is_theirs = |market: &Market| market.record().creator_id == creator;
        let opened = self.changed.new_markets.iter().filter(|new| is_theirs(&new.market)).count();
        let was_open = |market: &Market| {
            self.cursors.get(&market.id()).is_some_and(|cursor| cursor.phase == Some(Phase::Open))
        };
        let ended = self.markets.values().filter(|market| market.record().phase != Phase::Open);
        let gone = ended.chain(&self.changed.deleted_markets);
        let gone = gone.filter(|market| is_theirs(market) && was_open(market)).count();
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(stored.saturating_add(count(opened)).saturating_sub(count(gone)))
    }
}
