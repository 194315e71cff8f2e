//! Rows required by the commands of a batch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foretell_domain::id::{AccountId, ClientId, MarketId, TransferId};
use foretell_domain::market::Market;
use foretell_ports::unit::Locked;

use crate::writer::CommandEnvelope;
use crate::writer::command::{Command, Payment};

/// Rows required by the commands of a batch.
#[derive(Default)]
pub(super) struct RequiredRows {
    pub(super) accounts: BTreeSet<AccountId>,
    pub(super) markets: BTreeSet<MarketId>,
    pub(super) settlements: BTreeSet<MarketId>,
    pub(super) deletions: BTreeSet<MarketId>,
    pub(super) originals: Vec<TransferId>,
    pub(super) paid_as: Vec<(AccountId, ClientId)>,
    pub(super) traded_as: Vec<(AccountId, ClientId)>,
    pub(super) holdings: BTreeSet<(MarketId, AccountId)>,
}

impl RequiredRows {
    pub(super) fn of(envelopes: &[Arc<CommandEnvelope>]) -> Self {
        let mut required = Self::default();
        for envelope in envelopes {
            required.add(&envelope.command);
        }
        required
    }

    fn add(&mut self, command: &Command) {
        match command {
            // The new user's account does not exist yet; it is inserted while the command is
            // applied.
            Command::Register(_) => self.accounts.extend([AccountId::TREASURY]),
            Command::Pay(payment) => self.add_payments(std::slice::from_ref(payment)),
            Command::PayBatch(batch) => self.add_payments(batch.payments()),
            Command::Mint(mint) => self.accounts.extend([AccountId::TREASURY, mint.to]),
            Command::Reverse(reversal) => {
                self.originals.push(reversal.of);
                if reversal.force {
                    self.accounts.insert(AccountId::TREASURY);
                }
            }
            Command::OpenMarket(opening) => self.accounts.extend([opening.from]),
            Command::Bet(bet) => self.add_trade(bet.market_id, bet.account_id, bet.client_id),
            Command::Sell(sale) => self.add_trade(sale.market_id, sale.account_id, sale.client_id),
            // Closing moves no money, so the pot is not locked.
            Command::Close(market) | Command::CloseEnded(market) => self.markets.extend([*market]),
            Command::Decide(command) => self.add_market(command.market_id),
            Command::ApplyProposal(market) => self.add_market(*market),
            // Only orders it; the accounts are locked with each set.
            Command::Undo(command) => self.markets.extend([command.market_id]),
            Command::Burn(burn) => self.accounts.extend([AccountId::TREASURY, burn.from]),
            Command::Delete(market) => {
                self.add_market(*market);
                self.deletions.insert(*market);
            }
            Command::Settle(market) => {
                self.add_market(*market);
                self.settlements.insert(*market);
            }
        }
    }

    /// Adds the accounts that get a subsidy back.
    pub(super) fn add_creators(&mut self, markets: &BTreeMap<MarketId, Locked<Market>>) {
        let deleted = self.deletions.iter().filter_map(|id| markets.get(id));
        self.accounts.extend(deleted.map(|market| market.record().creator_account_id));
    }

    fn add_payments(&mut self, payments: &[Payment]) {
        self.accounts.extend(payments.iter().flat_map(|payment| [payment.from, payment.to]));
        let named = payments.iter().filter_map(|payment| Some((payment.from, payment.client_id?)));
        self.paid_as.extend(named);
    }

    fn add_market(&mut self, market: MarketId) {
        self.markets.insert(market);
        self.accounts.insert(AccountId::of_market(market));
    }

    fn add_trade(&mut self, market: MarketId, account: AccountId, client_id: Option<ClientId>) {
        self.add_market(market);
        self.accounts.insert(account);
        self.holdings.insert((market, account));
        self.traded_as.extend(client_id.map(|client_id| (account, client_id)));
    }
}
