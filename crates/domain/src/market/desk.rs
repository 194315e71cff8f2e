//! Trades as one operation: an order is priced, its money moves, and its fill is recorded.

use super::{BuyOrder, Fill, Holding, Market, MarketError, SellOrder, TradeSide};
use crate::account::Account;
use crate::error::DomainError;
use crate::id::{AccountId, TransferId};
use crate::time::Timestamp;
use crate::transfer::{Transfer, TransferKind, TransferOrder, transfer};

/// Everything that a trade changes. A trade takes it and returns it changed; on an error it is
/// lost, so that nobody can store a part of a rejected trade.
#[derive(Debug, Clone, PartialEq)]
pub struct TradingDesk {
    market: Market,
    pot: Account,
    trader: Account,
    holding: Holding,
}

/// A trade that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Trade {
    /// Result of the order.
    pub fill: Fill,
    /// The transfer that moved its money.
    pub transfer: Transfer,
}

impl TradingDesk {
    /// Brings a market together with its pot, and the account of a trader with the holding in this
    /// market. `None` if they do not belong together.
    pub fn new(market: Market, pot: Account, trader: Account, holding: Holding) -> Option<Self> {
        let is_one = pot.id() == AccountId::of_market(market.id())
            && (holding.market_id, holding.account_id) == (market.id(), trader.id());
        is_one.then_some(Self { market, pot, trader, holding })
    }

    /// Returns the market, its pot, the trader's account and the holding.
    pub fn into_parts(self) -> (Market, Account, Account, Holding) {
        (self.market, self.pot, self.trader, self.holding)
    }

    /// Buys shares at `now`; the transfer gets the id `transfer_id`.
    ///
    /// # Errors
    /// [`MarketError::MaxPriceRequired`], the errors of [`Market::price_buy`] and of [`transfer`].
    pub fn buy(
        self,
        order: &BuyOrder,
        transfer_id: TransferId,
        now: Timestamp,
    ) -> Result<(Self, Trade), DomainError> {
        let fill = self.market.price_buy(order, self.pot.balance(), now)?;
        // Not part of the price: fills of earlier orders are recomputed without their limits.
        let price = fill.prices_before.get(fill.option_index);
        if order.max_price.is_none() && price.is_some_and(|price| price.is_displayed_as_one()) {
            return Err(MarketError::MaxPriceRequired.into());
        }
        self.execute(fill, transfer_id, now)
    }

    /// Sells shares at `now`; the transfer gets the id `transfer_id`.
    ///
    /// # Errors
    /// The errors of [`Holding::shares_to_sell`], of [`Market::price_sell`] and of [`transfer`].
    pub fn sell(
        self,
        order: &SellOrder,
        transfer_id: TransferId,
        now: Timestamp,
    ) -> Result<(Self, Trade), DomainError> {
        // Before the holding is examined, so that a closed market is reported as closed and not as
        // lack of shares.
        self.market.check_trading(now)?;
        let index = self.market.option_index(order.option_id)?;
        let shares = self.holding.shares_to_sell(index, order.quantity)?;
        let fill = self.market.price_sell(order, shares, self.pot.balance(), now)?;
        self.execute(fill, transfer_id, now)
    }

    fn execute(
        mut self,
        fill: Fill,
        transfer_id: TransferId,
        now: Timestamp,
    ) -> Result<(Self, Trade), DomainError> {
        let (kind, debit, credit) = match fill.side {
            TradeSide::Buy => (TransferKind::Bet, &mut self.trader, &mut self.pot),
            TradeSide::Sell => (TransferKind::Sale, &mut self.pot, &mut self.trader),
        };
        let order = TransferOrder::new(transfer_id, kind, fill.cash, now).about(self.market.id());
        let transfer = transfer(debit, credit, order)?;
        self.market.record_fill(&fill, &mut self.holding, self.pot.balance())?;
        Ok((self, Trade { fill, transfer }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{MarketId, OptionId, UserId};
    use crate::market::{Opening, Quantity};
    use crate::money::Amount;
    use crate::transfer::TransferError;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000);
    const YES: OptionId = OptionId::from_u128(1);
    const TRADER: AccountId = AccountId::from_u128(7);

    fn amount(minor: i64) -> Amount {
        Amount::new(minor).unwrap()
    }

    fn paid(from: Account, to: Account, minor: i64) -> (Account, Account) {
        let (mut from, mut to) = (from, to);
        let order =
            TransferOrder::new(TransferId::from_u128(1), TransferKind::Grant, amount(minor), NOW);
        transfer(&mut from, &mut to, order).unwrap();
        (from, to)
    }

    /// Returns a desk whose trader has this much money, in minor units.
    fn desk(money: i64) -> TradingDesk {
        let opening = Opening {
            id: MarketId::from_u128(9),
            creator_id: UserId::from_u128(1),
            creator_account_id: AccountId::from_u128(1),
            ends_at: NOW.plus_seconds(60),
            subsidy: amount(10_000),
            fee_bps: 0,
            options: vec![(YES, None), (OptionId::from_u128(2), None)],
        };
        let market = Market::open(opening, NOW).unwrap();
        let (treasury, pot) = paid(Account::treasury(), Account::pot(market.id()), 10_000);
        let (_, trader) = paid(treasury, Account::user(TRADER, UserId::from_u128(2)), money);
        let holding = Holding::empty(market.id(), TRADER, 2);
        TradingDesk::new(market, pot, trader, holding).unwrap()
    }

    fn buy(minor: i64) -> BuyOrder {
        BuyOrder { option_id: YES, amount: amount(minor), min_shares: None, max_price: None }
    }

    const SELL_ALL: SellOrder =
        SellOrder { option_id: YES, quantity: Quantity::All, min_proceeds: None };

    #[test]
    fn money_and_shares_change_together() {
        let (desk, bought) = desk(1_000).buy(&buy(600), TransferId::from_u128(5), NOW).unwrap();
        assert_eq!((desk.trader.balance().minor(), desk.pot.balance().minor()), (400, 10_600));
        assert_eq!(desk.holding.positions[0].shares, bought.fill.shares);
        assert_eq!(desk.market.record().version, bought.fill.market_version);
        assert_eq!(
            (bought.transfer.kind, bought.transfer.market_id),
            (TransferKind::Bet, Some(desk.market.id()))
        );
        let (desk, sold) = desk.sell(&SELL_ALL, TransferId::from_u128(6), NOW).unwrap();
        assert_eq!(desk.trader.balance().minor(), 400 + sold.fill.cash.minor());
        assert_eq!(desk.pot.balance().minor() + desk.trader.balance().minor(), 11_000);
        assert!(desk.holding.positions[0].shares.is_zero());
        assert_eq!(sold.transfer.kind, TransferKind::Sale);
    }

    #[test]
    fn trade_beyond_balance_or_holding_is_rejected() {
        let refused = desk(500).buy(&buy(600), TransferId::from_u128(5), NOW).unwrap_err();
        assert!(
            matches!(refused, DomainError::Transfer(TransferError::InsufficientFunds { .. })),
            "{refused:?}"
        );
        let refused = desk(500).sell(&SELL_ALL, TransferId::from_u128(5), NOW).unwrap_err();
        assert!(
            matches!(refused, DomainError::Market(MarketError::InsufficientShares { .. })),
            "{refused:?}"
        );
        let late = NOW.plus_seconds(61);
        let refused = desk(500).sell(&SELL_ALL, TransferId::from_u128(5), late).unwrap_err();
        assert_eq!(refused, DomainError::Market(MarketError::TradingEnded));
    }

    #[test]
    fn rows_of_different_markets_are_rejected() {
        let (market, pot, trader, holding) = desk(1).into_parts();
        let other_pot = Account::pot(MarketId::from_u128(8));
        assert_eq!(TradingDesk::new(market.clone(), other_pot, trader, holding.clone()), None);
        let other_holding = Holding::empty(market.id(), AccountId::from_u128(8), 2);
        assert_eq!(TradingDesk::new(market, pot, trader, other_holding), None);
    }
}
