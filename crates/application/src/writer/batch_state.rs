//! Rows of one batch: locked and read together, changed in memory, written in bulk.

mod open_markets;
mod required_rows;
mod settlements;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use foretell_domain::account::Account;
use foretell_domain::error::DomainError;
use foretell_domain::event::DomainEvent;
use foretell_domain::id::{AccountId, ClientId, MarketId, TransferId, UserId};
use foretell_domain::market::{Bet, Holding, Market, MarketError, Resolution, Settlement};
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::{Transfer, TransferError, TransferOrder, transfer};
use foretell_ports::error::StoreError;
use foretell_ports::market::{NewMarket, PaidSet, WantedHolding};
use foretell_ports::unit::{Locked, Tx};

use super::CommandEnvelope;
use super::batch::BatchContext;
use required_rows::RequiredRows;
use settlements::find_sets;
pub(super) use settlements::{NextSet, UndoneSet};

/// Rows of a batch, and their changes.
pub(super) struct BatchState {
    accounts: BTreeMap<AccountId, Locked<Account>>,
    markets: BTreeMap<MarketId, Locked<Market>>,
    holdings: HashMap<(MarketId, AccountId), Holding>,
    sets: HashMap<MarketId, NextSet>,
    /// The newest resolution of each market for which it was read.
    resolutions: HashMap<MarketId, Option<Resolution>>,
    originals: HashMap<TransferId, Transfer>,
    reversed: HashSet<TransferId>,
    /// Client ids that accounts have used for payments.
    paid_as: HashSet<(AccountId, ClientId)>,
    /// Client ids that accounts have used for trades.
    traded_as: HashSet<(AccountId, ClientId)>,
    /// Number of creators' open markets before the batch, if counted.
    open_markets: HashMap<UserId, u32>,
    changed: Changed,
}

/// Changes of a batch so far.
#[derive(Default)]
struct Changed {
    accounts: BTreeSet<AccountId>,
    markets: BTreeSet<MarketId>,
    positions: BTreeSet<(MarketId, AccountId, usize)>,
    transfers: Vec<Transfer>,
    bets: Vec<Bet>,
    new_markets: Vec<NewMarket>,
    new_settlements: Vec<Settlement>,
    settlements: Vec<Locked<Settlement>>,
    paid_sets: Vec<PaidSet>,
    undone_sets: Vec<UndoneSet>,
    undone_settlements: Vec<Locked<Settlement>>,
    resolutions: BTreeMap<(MarketId, i64), Resolution>,
    deleted_markets: Vec<Locked<Market>>,
    events: Vec<DomainEvent>,
}

/// State of accounts to restore when a command of several transfers is rejected.
pub(super) struct SavePoint {
    accounts: Vec<Account>,
    transfers: usize,
}

impl BatchState {
    /// Locks markets, then accounts, each in ascending order of id, and reads the other rows of the
    /// batch. The accounts of a settlement's next holders, and a creator's, are known only once the
    /// market is locked.
    pub(super) fn lock(
        tx: &mut dyn Tx,
        envelopes: &[Arc<CommandEnvelope>],
    ) -> Result<Self, StoreError> {
        let mut required = RequiredRows::of(envelopes);
        let markets = lock_markets(tx, &required.markets)?;
        // Before the accounts are locked: this adds the holders' accounts, and all accounts must be
        // locked in one ascending pass to avoid deadlocks.
        let sets = find_sets(tx, &markets, &mut required)?;
        required.add_creators(&markets);
        let originals = find_originals(tx, &mut required)?;
        let accounts = tx.lock_accounts(&required.accounts)?;
        // Read under the locks, so that a concurrent unit cannot use the same id or reverse the
        // same transfer.
        let reversed = unless_empty(&required.originals, |ids| tx.find_reversed(ids))?;
        let paid_as = unless_empty(&required.paid_as, |names| tx.find_paid_as(names))?;
        let traded_as = unless_empty(&required.traded_as, |names| tx.find_traded_as(names))?;
        let holdings = find_holdings(tx, &markets, &required)?;
        Ok(Self {
            accounts: accounts.into_iter().map(|account| (account.id(), account)).collect(),
            markets,
            holdings,
            sets,
            resolutions: HashMap::new(),
            originals,
            reversed: reversed.into_iter().collect(),
            paid_as: paid_as.into_iter().collect(),
            traded_as: traded_as.into_iter().collect(),
            open_markets: HashMap::new(),
            changed: Changed::default(),
        })
    }

    pub(super) fn account(&self, id: AccountId) -> Result<Account, TransferError> {
        self.accounts.get(&id).map(|account| **account).ok_or(TransferError::AccountNotFound(id))
    }

    pub(super) fn market(&self, id: MarketId) -> Result<&Market, MarketError> {
        self.markets.get(&id).map(|market| &**market).ok_or(MarketError::NotFound(id))
    }

    /// Returns the holding of an account in a locked market.
    pub(super) fn holding(&self, market: &Market, account: AccountId) -> Holding {
        let held = self.holdings.get(&(market.id(), account)).cloned();
        held.unwrap_or_else(|| Holding::empty(market.id(), account, market.record().options.len()))
    }

    /// Returns the transfer to reverse.
    pub(super) fn original(&self, id: TransferId) -> Result<Transfer, TransferError> {
        if self.reversed.contains(&id) {
            return Err(TransferError::AlreadyReversed(id));
        }
        self.originals.get(&id).cloned().ok_or(TransferError::NotFound(id))
    }

    /// Rejects a client id that the account has already used for a payment.
    pub(super) fn check_new_payment(
        &self,
        from: AccountId,
        client_id: Option<ClientId>,
    ) -> Result<(), TransferError> {
        check_unused(&self.paid_as, from, client_id, TransferError::Duplicate)
    }

    /// Rejects a client id that the account has already used for a trade.
    pub(super) fn check_new_trade(
        &self,
        account: AccountId,
        client_id: Option<ClientId>,
    ) -> Result<(), MarketError> {
        check_unused(&self.traded_as, account, client_id, MarketError::DuplicateBet)
    }

    /// Moves money between two accounts of the batch; on an error nothing changes.
    pub(super) fn post(
        &mut self,
        from: AccountId,
        to: AccountId,
        order: TransferOrder,
    ) -> Result<Transfer, TransferError> {
        let (mut debit, mut credit) = (self.account(from)?, self.account(to)?);
        let row = transfer(&mut debit, &mut credit, order)?;
        self.put_transfer([debit, credit], row.clone());
        Ok(row)
    }

    /// Records a transfer with its two accounts after it.
    pub(super) fn put_transfer(&mut self, accounts: [Account; 2], row: Transfer) {
        for account in accounts {
            self.put_account(account);
        }
        // Recorded at once, so that a later command of the batch cannot repeat it.
        self.reversed.extend(row.reversal_of);
        self.paid_as.extend(row.client_id.map(|id| (row.debit.account_id, id)));
        self.changed.transfers.push(row);
    }

    fn put_account(&mut self, account: Account) {
        if let Some(locked) = self.accounts.get_mut(&account.id()) {
            **locked = account;
            self.changed.accounts.insert(account.id());
        }
    }

    /// Inserts an account with a balance of zero, which can then take part in transfers.
    pub(super) fn attach(
        &mut self,
        tx: &mut dyn Tx,
        account: Account,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        tx.insert_accounts_once(&[account], at)?;
        // Its own insert already locks the row; this only gets the `Locked` value that is needed to
        // save it.
        for locked in tx.lock_accounts(&BTreeSet::from([account.id()]))? {
            self.accounts.insert(locked.id(), locked);
        }
        Ok(())
    }

    /// Saves the current state of these accounts.
    pub(super) fn save_point(&self, accounts: impl Iterator<Item = AccountId>) -> SavePoint {
        let accounts = accounts.filter_map(|id| self.account(id).ok()).collect();
        SavePoint { accounts, transfers: self.changed.transfers.len() }
    }

    /// Undoes every transfer since `point`, which may affect only the saved accounts.
    pub(super) fn roll_back(&mut self, point: SavePoint) {
        for row in self.changed.transfers.drain(point.transfers..) {
            if let Some(client_id) = row.client_id {
                self.paid_as.remove(&(row.debit.account_id, client_id));
            }
            if let Some(original) = row.reversal_of {
                self.reversed.remove(&original);
            }
        }
        for account in point.accounts {
            self.put_account(account);
        }
    }

    pub(super) fn put_market(&mut self, market: Market) {
        if let Some(locked) = self.markets.get_mut(&market.id()) {
            self.changed.markets.insert(market.id());
            **locked = market;
        }
    }

    /// Records a bet with the market and the holding after it.
    pub(super) fn put_trade(&mut self, market: Market, holding: Holding, bet: Bet) {
        let (market_id, account_id) = (bet.market_id, bet.account_id);
        self.emit(DomainEvent::SharesTraded { market: market_id, sequence: bet.fill.sequence });
        self.changed.positions.insert((market_id, account_id, bet.fill.option_index));
        self.holdings.insert((market_id, account_id), holding);
        self.put_market(market);
        self.traded_as.extend(bet.client_id.map(|id| (account_id, id)));
        self.changed.bets.push(bet);
    }

    pub(super) fn add_market(&mut self, market: NewMarket) {
        let record = market.market.record();
        self.emit(DomainEvent::MarketOpened { market: record.id, ends_at: record.ends_at });
        self.changed.new_markets.push(market);
    }

    /// Removes a market, so that later commands of the batch do not find it.
    pub(super) fn delete_market(&mut self, id: MarketId) {
        // A deleted market must not be saved, or the statement would affect no row.
        self.changed.markets.remove(&id);
        self.emit(DomainEvent::MarketDeleted(id));
        self.changed.deleted_markets.extend(self.markets.remove(&id));
    }

    /// Records what has happened. A command emits only once nothing can reject it any more.
    pub(super) fn emit(&mut self, event: DomainEvent) {
        self.changed.events.push(event);
    }

    /// Writes all changes.
    pub(super) fn write(
        self,
        tx: &mut dyn Tx,
        context: &BatchContext<'_>,
    ) -> Result<(), StoreError> {
        let (changed, now) = (self.changed, context.now);
        // An account changed by many commands is written once, with its final balance.
        let accounts: Vec<_> =
            changed.accounts.iter().filter_map(|id| self.accounts.get(id)).collect();
        unless_empty(&accounts, |accounts| tx.save_accounts(accounts))?;
        unless_empty(&changed.transfers, |transfers| tx.insert_transfers(transfers))?;
        unless_empty(&changed.new_markets, |markets| tx.insert_markets(markets))?;
        let opened: Vec<_> = changed.new_markets.iter().map(NewMarket::revision).collect();
        unless_empty(&opened, |revisions| tx.insert_revisions(revisions))?;
        let markets: Vec<_> =
            changed.markets.iter().filter_map(|id| self.markets.get(id)).collect();
        unless_empty(&markets, |markets| tx.save_markets(markets, now))?;
        let position = |(market, account, index): &(MarketId, AccountId, usize)| {
            self.holdings.get(&(*market, *account)).map(|holding| (holding, *index))
        };
        let positions: Vec<_> = changed.positions.iter().filter_map(position).collect();
        unless_empty(&positions, |positions| tx.save_positions(positions))?;
        unless_empty(&changed.bets, |bets| tx.insert_bets(bets))?;
        // First: the market may have been decided again in this batch.
        changed.undone_settlements.into_iter().try_for_each(|s| tx.delete_settlement(s))?;
        changed
            .new_settlements
            .iter()
            .try_for_each(|settlement| tx.insert_settlement(settlement))?;
        changed.settlements.iter().try_for_each(|settlement| tx.save_settlement(settlement))?;
        changed.paid_sets.iter().try_for_each(|set| tx.insert_payouts(set))?;
        for UndoneSet { market_id, holders, debts } in &changed.undone_sets {
            let Some(market) = self.markets.get(market_id) else { continue };
            unless_empty(holders, |holders| tx.delete_payouts(market, holders))?;
            unless_empty(debts, |debts| tx.insert_debts(debts))?;
        }
        let resolutions: Vec<_> = changed.resolutions.values().collect();
        unless_empty(&resolutions, |resolutions| tx.save_resolutions(resolutions))?;
        if !changed.deleted_markets.is_empty() {
            tx.delete_markets(changed.deleted_markets)?;
        }
        context.projection.write(tx, &changed.events, now)
    }
}

/// Rejects a client id that the account has used already.
fn check_unused<E>(
    used: &HashSet<(AccountId, ClientId)>,
    account: AccountId,
    client_id: Option<ClientId>,
    duplicate: impl FnOnce(ClientId) -> E,
) -> Result<(), E> {
    let known = client_id.filter(|id| used.contains(&(account, *id)));
    known.map_or(Ok(()), |id| Err(duplicate(id)))
}

fn unless_empty<I, T: Default>(
    items: &[I],
    call: impl FnOnce(&[I]) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    if items.is_empty() { Ok(T::default()) } else { call(items) }
}

fn lock_markets(
    tx: &mut dyn Tx,
    ids: &BTreeSet<MarketId>,
) -> Result<BTreeMap<MarketId, Locked<Market>>, StoreError> {
    let markets = if ids.is_empty() { Vec::new() } else { tx.lock_markets(ids)? };
    Ok(markets.into_iter().map(|market| (market.id(), market)).collect())
}

fn find_originals(
    tx: &mut dyn Tx,
    required: &mut RequiredRows,
) -> Result<HashMap<TransferId, Transfer>, StoreError> {
    let originals = unless_empty(&required.originals, |ids| tx.find_transfers(ids))?;
    let sides = originals.iter().flat_map(|row| [row.debit.account_id, row.credit.account_id]);
    required.accounts.extend(sides);
    Ok(originals.into_iter().map(|row| (row.id, row)).collect())
}

fn find_holdings(
    tx: &mut dyn Tx,
    markets: &BTreeMap<MarketId, Locked<Market>>,
    required: &RequiredRows,
) -> Result<HashMap<(MarketId, AccountId), Holding>, StoreError> {
    let holding = |(market_id, account_id): &(MarketId, AccountId)| {
        let option_count = markets.get(market_id)?.record().options.len();
        Some(WantedHolding { market_id: *market_id, account_id: *account_id, option_count })
    };
    let required: Vec<_> = required.holdings.iter().filter_map(holding).collect();
    let found = unless_empty(&required, |required| tx.find_holdings(required))?;
    Ok(found
        .into_iter()
        .map(|holding| ((holding.market_id, holding.account_id), holding))
        .collect())
}

/// Converts a domain error that no request can cause: the rows contradict the domain.
pub(super) fn invariant_violation(refusal: &DomainError) -> StoreError {
    StoreError::Rejected(refusal.to_string().into())
}
