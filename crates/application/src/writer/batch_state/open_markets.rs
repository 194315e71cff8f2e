//! Number of a creator's open markets in the middle of a batch.

use std::collections::HashSet;
use std::collections::hash_map::Entry;

use foretell_domain::event::DomainEvent;
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
        let deleted = self.changed.deleted_markets.iter();
        let left_open = |event: &DomainEvent| match event {
            DomainEvent::PhaseChanged { market, from: Phase::Open, .. } => Some(*market),
            _ => None,
        };
        let ended: HashSet<_> = self.changed.events.iter().filter_map(left_open).collect();
        let is_gone = |market: &Market, is_deleted| {
            is_theirs(market)
                && (ended.contains(&market.id())
                    || is_deleted && market.record().phase == Phase::Open)
        };
        let gone = self.markets.values().filter(|market| is_gone(market, false)).count()
            + deleted.filter(|market| is_gone(market, true)).count();
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(stored.saturating_add(count(opened)).saturating_sub(count(gone)))
    }
}
