//! Creates markets, and executes bets and sales.

use foretell_domain::account::Account;
use foretell_domain::error::DomainError;
use foretell_domain::id::{AccountId, BetId, ClientId, MarketId, OptionId};
use foretell_domain::job::JobTask;
use foretell_domain::market::{
    Bet, BuyOrder, Fill, Holding, Market, MarketError, Opening, SellOrder, TradeSide,
};
use foretell_domain::policy::Actor;
use foretell_domain::quota::Quota;
use foretell_domain::transfer::TransferKind;
use foretell_ports::market::NewMarket;
use foretell_ports::unit::Tx;

use super::CommandHandler;
use crate::error::AppError;
use crate::writer::batch_state::invariant_violation;
use crate::writer::command::{OpenMarket, PlaceBet, SellShares};
use crate::writer::outcome::{MarketOpened, TradeReceipt};

/// A priced order with its trader.
struct Trade {
    client_id: Option<ClientId>,
    actor: Actor,
    account_id: AccountId,
    option_id: OptionId,
    fill: Fill,
}

impl CommandHandler<'_> {
    pub(super) fn open_market(
        &mut self,
        tx: &mut dyn Tx,
        actor: Actor,
        command: &OpenMarket,
    ) -> Result<Box<MarketOpened>, AppError> {
        let market = self.dry_run_opening(actor, command)?;
        // Counted under the lock on the creator's account, which every creation of a market takes.
        let open_markets = self.state.count_open_markets(tx, actor.user_id)?;
        command.quotas.check(Quota::OpenMarkets, open_markets)?;
        // There are no savepoints: every check above must precede the first write.
        let pot = Account::pot(market.id());
        self.state.attach(tx, pot, self.context.now)?;
        let order = self.order(TransferKind::Subsidy, command.subsidy).about(market.id());
        // The same transfer was rehearsed above, so a rejection here is a program error.
        let paid = self.state.post(command.from, pot.id(), order);
        let row = paid.map_err(|refusal| invariant_violation(&refusal.into()))?;
        let (record, texts, created_at) = (market.record().clone(), command.texts.clone(), self.context.now);
        self.enqueue(JobTask::CloseMarket(record.id), record.ends_at);
        if self.context.has_embeddings {
            self.enqueue(JobTask::EmbedMarket(record.id), self.context.now);
        }
        self.state.add_market(NewMarket { market, texts: texts.clone(), created_at });
        let balance = row.debit.balance_after;
        Ok(Box::new(MarketOpened { record, texts, balance, created_at }))
    }

    /// Returns the market to be created, after every check that could reject it.
    fn dry_run_opening(&self, actor: Actor, command: &OpenMarket) -> Result<Market, DomainError> {
        self.own_account(actor, command.from)?;
        command.quotas.check_subsidy(command.subsidy)?;
        let next_id = || self.context.ids.next_id();
        let opening = Opening {
            id: MarketId::from_u128(next_id()),
            creator_id: actor.user_id,
            creator_account_id: command.from,
            ends_at: command.ends_at,
            subsidy: command.subsidy,
            fee_bps: command.fee_bps,
            options: command.probabilities.iter().map(|p| (OptionId::from_u128(next_id()), *p)).collect(),
        };
        let market = Market::open(opening, self.context.now)?;
        let order = self.order(TransferKind::Subsidy, command.subsidy);
        self.dry_run(command.from, Account::pot(market.id()), order)?;
        Ok(market)
    }

    pub(super) fn place_bet(
        &mut self,
        actor: Actor,
        command: &PlaceBet,
    ) -> Result<Box<TradeReceipt>, DomainError> {
        self.own_account(actor, command.account_id)?;
        self.state.check_new_trade(command.account_id, command.client_id)?;
        let market = self.state.market(command.market_id)?;
        let pot = self.state.account(AccountId::of_market(command.market_id))?;
        let fill = market.price_buy(&command.order, pot.balance(), self.context.now)?;
        let PlaceBet { client_id, account_id, order: BuyOrder { option_id, .. }, .. } = *command;
        self.trade(market.clone(), Trade { client_id, actor, account_id, option_id, fill })
    }

    pub(super) fn sell_shares(
        &mut self,
        actor: Actor,
        command: &SellShares,
    ) -> Result<Box<TradeReceipt>, DomainError> {
        self.own_account(actor, command.account_id)?;
        self.state.check_new_trade(command.account_id, command.client_id)?;
        let market = self.state.market(command.market_id)?;
        let pot = self.state.account(AccountId::of_market(command.market_id))?;
        // Before the holding is examined, so that a closed market is reported as closed and not as
        // lack of shares.
        market.check_trading(self.context.now)?;
        let order = &command.order;
        let holding = self.state.holding(market, command.account_id);
        let shares = holding.shares_to_sell(market.option_index(order.option_id)?, order.quantity)?;
        let fill = market.price_sell(order, shares, pot.balance(), self.context.now)?;
        let SellShares { client_id, account_id, order: SellOrder { option_id, .. }, .. } = *command;
        self.trade(market.clone(), Trade { client_id, actor, account_id, option_id, fill })
    }

    /// Moves the money of a fill and records it. Market and holding are changed as copies, which
    /// are kept only after the money has moved.
    fn trade(&mut self, mut market: Market, trade: Trade) -> Result<Box<TradeReceipt>, DomainError> {
        let Trade { client_id, actor, account_id, option_id, fill } = trade;
        let market_id = market.id();
        let pot_id = AccountId::of_market(market_id);
        let pot = self.state.account(pot_id)?.balance();
        let (kind, from, to, pot_after) = match fill.side {
            TradeSide::Buy => (TransferKind::Bet, account_id, pot_id, pot.plus(fill.cash)),
            TradeSide::Sell => (TransferKind::Sale, pot_id, account_id, pot.minus(fill.cash)),
        };
        let mut holding: Holding = self.state.holding(&market, account_id);
        market.record_fill(&fill, &mut holding, pot_after.ok_or(MarketError::TradeTooLarge)?)?;
        let row = self.state.post(from, to, self.order(kind, fill.cash).about(market_id))?;
        let (user_id, transfer_id, created_at) = (actor.user_id, row.id, self.context.now);
        let id = BetId::from_u128(self.context.ids.next_id());
        let bet =
            Bet { id, client_id, market_id, user_id, account_id, transfer_id, option_id, fill, created_at };
        self.state.put_trade(market, holding, bet.clone());
        Ok(Box::new(TradeReceipt::new(bet, &row)))
    }
}
