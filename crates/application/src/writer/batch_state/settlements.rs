//! Settlements and resolutions of a batch.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use foretell_domain::id::{AccountId, MarketId, UserId};
use foretell_domain::market::{Bet, HOLDERS_PER_SET, Holding, Market, Resolution, Settlement};
use foretell_domain::transfer::Transfer;
use foretell_ports::error::StoreError;
use foretell_ports::market::{Debt, PaidSet};
use foretell_ports::unit::{Locked, Tx};

use super::BatchState;
use super::required_rows::RequiredRows;

/// A settlement in progress with the next step.
pub(in crate::writer) struct NextSet {
    pub(in crate::writer) settlement: Locked<Settlement>,
    /// The next holders to pay.
    pub(in crate::writer) holdings: Vec<Holding>,
    /// The next payments to take back, if it is being undone.
    pub(in crate::writer) payments: Vec<Transfer>,
}

/// Payments that were taken back.
pub(in crate::writer) struct UndoneSet {
    pub(in crate::writer) market_id: MarketId,
    /// Accounts whose claims are void.
    pub(in crate::writer) holders: Vec<AccountId>,
    /// Debts of recipients for whom the treasury has paid.
    pub(in crate::writer) debts: Vec<Debt>,
}

impl BatchState {
    /// Returns the next holders of a decided market; each set is returned once.
    pub(in crate::writer) fn take_set(&mut self, market: MarketId) -> Option<NextSet> {
        self.sets.remove(&market)
    }

    pub(in crate::writer) fn add_settlement(&mut self, settlement: Settlement) {
        self.changed.new_settlements.push(settlement);
    }

    pub(in crate::writer) fn put_set(&mut self, settlement: Locked<Settlement>, paid: PaidSet) {
        self.changed.settlements.push(settlement);
        self.changed.paid_sets.push(paid);
    }

    /// Records payments that were taken back.
    pub(in crate::writer) fn put_undone_set(
        &mut self,
        settlement: Locked<Settlement>,
        undone: UndoneSet,
    ) {
        self.changed.settlements.push(settlement);
        self.changed.undone_sets.push(undone);
    }

    /// Records the last payments that were taken back.
    pub(in crate::writer) fn delete_settlement(
        &mut self,
        settlement: Locked<Settlement>,
        undone: UndoneSet,
    ) {
        self.changed.undone_settlements.push(settlement);
        self.changed.undone_sets.push(undone);
    }

    /// Returns the newest resolution of a locked market, with the changes of this batch.
    pub(in crate::writer) fn newest_resolution(
        &mut self,
        tx: &mut dyn Tx,
        market: MarketId,
    ) -> Result<Option<&Resolution>, StoreError> {
        if let Entry::Vacant(unread) = self.resolutions.entry(market) {
            let Some(locked) = self.markets.get(&market) else { return Ok(None) };
            unread.insert(tx.find_newest_resolution(locked)?);
        }
        Ok(self.resolutions.get(&market).and_then(Option::as_ref))
    }

    /// Stores a resolution that is the newest one of its market.
    pub(in crate::writer) fn put_resolution(&mut self, resolution: Resolution) {
        let key = (resolution.market_id, resolution.number);
        self.resolutions.insert(resolution.market_id, Some(resolution.clone()));
        self.changed.resolutions.insert(key, resolution);
    }

    /// Returns `true` if a user holds or has held shares of a locked market.
    pub(in crate::writer) fn has_stake(
        &self,
        tx: &mut dyn Tx,
        market: MarketId,
        user: UserId,
    ) -> Result<bool, StoreError> {
        // Trades of this batch are not stored yet.
        let is_theirs = |bet: &Bet| bet.market_id == market && bet.user_id == user;
        if self.changed.bets.iter().any(is_theirs) {
            return Ok(true);
        }
        let Some(locked) = self.markets.get(&market) else { return Ok(false) };
        Ok(tx.find_stakes(locked, user)?.of_actor)
    }

    /// Changes the settlement of a locked market, wherever this batch has it; `None` without one.
    /// Later steps of the batch leave it alone.
    pub(in crate::writer) fn change_settlement<T>(
        &mut self,
        tx: &mut dyn Tx,
        market: MarketId,
        change: impl FnOnce(&mut Settlement) -> T,
    ) -> Result<Option<T>, StoreError> {
        let set = self.sets.remove(&market).map(|set| set.settlement);
        let is_its_own = |settlement: &Settlement| settlement.market_id == market;
        if let Some(new) = self.changed.new_settlements.iter_mut().find(|s| is_its_own(s)) {
            return Ok(Some(change(new)));
        }
        if let Some(saved) = self.changed.settlements.iter_mut().find(|s| is_its_own(s)) {
            return Ok(Some(change(saved)));
        }
        let Some(locked) = self.markets.get(&market) else { return Ok(None) };
        let stored = match set {
            Some(settlement) => Some(settlement),
            None => tx.lock_settlement(locked)?,
        };
        Ok(stored.map(|mut settlement| {
            let result = change(&mut settlement);
            self.changed.settlements.push(settlement);
            result
        }))
    }
}

/// Returns the next step of each settlement that the batch continues, and adds its accounts to the
/// required rows.
pub(super) fn find_sets(
    tx: &mut dyn Tx,
    markets: &BTreeMap<MarketId, Locked<Market>>,
    required: &mut RequiredRows,
) -> Result<HashMap<MarketId, NextSet>, StoreError> {
    let mut sets = HashMap::new();
    for market in required.settlements.iter().filter_map(|id| markets.get(id)) {
        let Some(settlement) = tx.lock_settlement(market)? else { continue };
        let (holdings, payments) = if let Some(undo) = settlement.undo {
            required.accounts.insert(AccountId::TREASURY);
            (Vec::new(), tx.list_payments_before(market, undo.cursor, HOLDERS_PER_SET)?)
        } else {
            let after = settlement.cursor;
            (tx.list_holdings_after(market, after, HOLDERS_PER_SET)?, Vec::new())
        };
        required.accounts.extend(holdings.iter().map(|holding| holding.account_id));
        required.accounts.extend(payments.iter().map(|payment| payment.credit.account_id));
        required.accounts.extend([AccountId::FEES, market.record().creator_account_id]);
        sets.insert(market.id(), NextSet { settlement, holdings, payments });
    }
    Ok(sets)
}
