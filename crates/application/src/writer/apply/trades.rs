//! Creates markets, and executes bets and sales.

use foretell_domain::account::Account;
use foretell_domain::error::DomainError;
use foretell_domain::id::{AccountId, BetId, ClientId, MarketId, OptionId, UserId};
use foretell_domain::market::{Bet, Market, MarketError, Opening, Trade, TradingDesk};
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

impl CommandHandler<'_> {
    pub(super) fn open_market(
        &mut self,
        tx: &mut dyn Tx,
        actor: Actor,
        command: &OpenMarket,
    ) -> Result<Box<MarketOpened>, AppError> {
        let market = self.dry_run_opening(actor, command)?;
        // Counted under the lock on the creator's account, which every creation of a market takes.
        let open_markets = self.state.count_open_markets(tx, market.record().creator_id)?;
        command.quotas.check(Quota::OpenMarkets, open_markets)?;
        // There are no savepoints: every check above must precede the first write.
        let pot = Account::pot(market.id());
        self.state.attach(tx, pot, self.context.now)?;
        let order = self.order(TransferKind::Subsidy, command.subsidy).about(market.id());
        // The same transfer was rehearsed above, so a rejection here is a program error.
        let paid = self.state.post(command.from, pot.id(), order);
        let row = paid.map_err(|refusal| invariant_violation(&refusal.into()))?;
        let (record, texts, created_at) =
            (market.record().clone(), command.texts.clone(), self.context.now);
        self.state.add_market(NewMarket { market, texts: texts.clone(), created_at });
        let balance = row.debit.balance_after;
        Ok(Box::new(MarketOpened { record, texts, balance, created_at }))
    }

    /// Returns the market to be created, after every check that could reject it.
    fn dry_run_opening(&self, actor: Actor, command: &OpenMarket) -> Result<Market, DomainError> {
        let (_, creator_id) = self.own_account(actor, command.from)?;
        command.quotas.check_subsidy(command.subsidy)?;
        let next_id = || self.context.ids.next_id();
        let opening = Opening {
            id: MarketId::from_u128(next_id()),
            creator_id,
            creator_account_id: command.from,
            ends_at: command.ends_at,
            subsidy: command.subsidy,
            fee_bps: command.fee_bps,
            options: command
                .probabilities
                .iter()
                .map(|p| (OptionId::from_u128(next_id()), *p))
                .collect(),
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
        let PlaceBet { client_id, market_id, account_id, order } = command;
        self.context.rules.check_buyer(actor, self.state.market(*market_id)?)?;
        let (desk, user_id) = self.desk(actor, *market_id, *account_id, *client_id)?;
        let (desk, trade) = desk.buy(order, self.next_transfer_id(), self.context.now)?;
        Ok(self.record(user_id, desk, trade, (*client_id, order.option_id)))
    }

    pub(super) fn sell_shares(
        &mut self,
        actor: Actor,
        command: &SellShares,
    ) -> Result<Box<TradeReceipt>, DomainError> {
        let SellShares { client_id, market_id, account_id, order } = command;
        let (desk, user_id) = self.desk(actor, *market_id, *account_id, *client_id)?;
        let (desk, trade) = desk.sell(order, self.next_transfer_id(), self.context.now)?;
        Ok(self.record(user_id, desk, trade, (*client_id, order.option_id)))
    }

    /// Returns the rows of a trade and the trader, who is the actor.
    fn desk(
        &self,
        actor: Actor,
        market: MarketId,
        account: AccountId,
        client_id: Option<ClientId>,
    ) -> Result<(TradingDesk, UserId), DomainError> {
        let (trader, user_id) = self.own_account(actor, account)?;
        self.state.check_new_trade(account, client_id)?;
        let market = self.state.market(market)?;
        let pot = self.state.account(AccountId::of_market(market.id()))?;
        let holding = self.state.holding(market, account);
        // Both were looked up by the ids of the market and the account.
        TradingDesk::new(market.clone(), pot, trader, holding)
            .map(|desk| (desk, user_id))
            .ok_or(DomainError::Market(MarketError::NotFound(market.id())))
    }

    fn record(
        &mut self,
        user_id: UserId,
        desk: TradingDesk,
        Trade { fill, transfer }: Trade,
        (client_id, option_id): (Option<ClientId>, OptionId),
    ) -> Box<TradeReceipt> {
        let (market, pot, trader, holding) = desk.into_parts();
        let bet = Bet {
            id: BetId::from_u128(self.context.ids.next_id()),
            client_id,
            market_id: market.id(),
            user_id,
            account_id: trader.id(),
            transfer_id: transfer.id,
            option_id,
            fill,
            created_at: self.context.now,
        };
        let receipt = TradeReceipt::new(bet.clone(), &transfer);
        self.state.put_transfer([pot, trader], transfer);
        self.state.put_trade(market, holding, bet);
        Box::new(receipt)
    }
}
