//! Trades: orders, the fills that the mechanism gives them, and the bets that record them.

use std::ops::Deref;

use thiserror::Error;

use super::lmsr::Mechanism as _;
use super::{Guard, Holding, Market, MarketError, Phase, WHOLE_BPS};
use crate::id::{AccountId, BetId, ClientId, MarketId, OptionId, TransferId, UserId};
use crate::money::{Amount, Balance};
use crate::probability::Probability;
use crate::shares::Shares;
use crate::time::Timestamp;

/// Direction of a trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum TradeSide {
    /// Money for shares.
    Buy,
    /// Shares for money.
    Sell,
}

impl TradeSide {
    /// Returns the name used in JSON and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }

    /// Returns the side with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Buy, Self::Sell].into_iter().find(|side| side.as_str() == name)
    }
}

/// An order to buy shares for a given amount of money, fee included.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BuyOrder {
    /// Option to buy.
    pub option_id: OptionId,
    /// Amount to pay, fee included.
    pub amount: Amount,
    /// Minimum number of shares; fewer reject the order.
    pub min_shares: Option<Shares>,
    /// Maximum amount per share; more rejects the order.
    pub max_price: Option<Probability>,
}

/// Number of shares to sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Quantity {
    /// All shares of the option that the trader holds.
    All,
    /// This many shares.
    Shares(Shares),
}

/// An order to sell shares for money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SellOrder {
    /// Option to sell.
    pub option_id: OptionId,
    /// Number of shares to sell.
    pub quantity: Quantity,
    /// Minimum proceeds, fee deducted; less rejects the order.
    pub min_proceeds: Option<Amount>,
}

/// A stored fill: the unchecked fields of a [`Fill`].
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FillRecord {
    /// The option's position among the market's options.
    pub option_index: usize,
    /// Direction.
    pub side: TradeSide,
    /// Amount that the trader pays, fee included, or receives, fee deducted.
    pub cash: Amount,
    /// The fee that stays in the pot, in minor units.
    pub fee: Balance,
    /// Number of shares traded.
    pub shares: Shares,
    /// Probability of every option before the trade.
    pub prices_before: Vec<Probability>,
    /// Probability of every option after the trade.
    pub prices_after: Vec<Probability>,
    /// Sequence number of the trade in the market: the first is 1, without gaps.
    pub sequence: i64,
    /// Version of the market after the trade.
    pub market_version: i64,
}

/// Invalid stored fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FillRecordError {
    /// The prices before and after are not of the same options.
    #[error("prices before and after are of different numbers of options")]
    Prices,
    /// The traded option has no price.
    #[error("option has no price")]
    Option,
    /// A fee is not negative.
    #[error("fee is below zero")]
    Fee,
    /// The first trade of a market has the number 1.
    #[error("sequence number is below one")]
    Sequence,
    /// The first version of a market is 1.
    #[error("market version is below one")]
    MarketVersion,
}

/// Result of an order at one version of a market. Only [`Market::price_buy`] and
/// [`Market::price_sell`] make a new one, and only [`Self::restore`] one from storage.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "FillRecord")
)]
pub struct Fill(FillRecord);

impl Fill {
    /// Checks a stored fill. Whether the market would give it is checked by a
    /// [`Replay`](super::Replay), since it depends on other rows.
    ///
    /// # Errors
    /// The [`FillRecordError`] of the rule that the record breaks.
    pub fn restore(record: FillRecord) -> Result<Self, FillRecordError> {
        if record.prices_before.len() != record.prices_after.len() {
            return Err(FillRecordError::Prices);
        }
        if record.option_index >= record.prices_before.len() {
            return Err(FillRecordError::Option);
        }
        if record.fee < Balance::ZERO {
            return Err(FillRecordError::Fee);
        }
        if record.sequence < 1 {
            return Err(FillRecordError::Sequence);
        }
        if record.market_version < 1 {
            return Err(FillRecordError::MarketVersion);
        }
        Ok(Self(record))
    }

    /// Returns the fields.
    pub fn into_record(self) -> FillRecord {
        self.0
    }

    /// Returns the money paid or received per share, fee included; above 1 only because of the fee.
    pub fn average_price(&self) -> f64 {
        price_per_share(self.cash, self.shares)
    }
}

impl Deref for Fill {
    type Target = FillRecord;

    fn deref(&self) -> &FillRecord {
        &self.0
    }
}

impl TryFrom<FillRecord> for Fill {
    type Error = FillRecordError;

    fn try_from(record: FillRecord) -> Result<Self, FillRecordError> {
        Self::restore(record)
    }
}

/// An executed fill: an immutable row.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Bet {
    /// Names the bet or sale.
    pub id: BetId,
    /// Identifier chosen by the trader.
    pub client_id: Option<ClientId>,
    /// Market.
    pub market_id: MarketId,
    /// Trader.
    pub user_id: UserId,
    /// Account of the trader.
    pub account_id: AccountId,
    /// The transfer that moved the money.
    pub transfer_id: TransferId,
    /// Option.
    pub option_id: OptionId,
    /// Result of the trade.
    pub fill: Fill,
    /// Execution time.
    pub created_at: Timestamp,
}

impl Market {
    /// Checks that the market takes trades at `now`.
    ///
    /// # Errors
    /// [`MarketError::TradingEnded`] unless it is open and its end date has not passed.
    pub fn check_trading(&self, now: Timestamp) -> Result<(), MarketError> {
        if self.phase_at(now) == Phase::Open { Ok(()) } else { Err(MarketError::TradingEnded) }
    }

    /// Computes the fill of a bet without changing anything. `pot` is the balance of the market's
    /// account.
    ///
    /// # Errors
    /// [`MarketError::TradingEnded`], [`MarketError::OptionNotFound`], [`MarketError::Slippage`],
    /// [`MarketError::TradeTooSmall`], [`MarketError::TradeTooLarge`].
    pub fn price_buy(
        &self,
        order: &BuyOrder,
        pot: Balance,
        now: Timestamp,
    ) -> Result<Fill, MarketError> {
        self.check_trading(now)?;
        let index = self.option_index(order.option_id)?;
        let fee = self.fee_on(order.amount);
        let net =
            Amount::new(order.amount.minor() - fee).map_err(|_| MarketError::TradeTooSmall)?;
        let outstanding = self.outstanding();
        let priced = self
            .mechanism
            .shares_for(&outstanding, index, net)
            .ok_or(MarketError::TradeTooLarge)?;
        let held = outstanding.get(index).copied().unwrap_or_default();
        let shares = priced.min(self.shares_covered(pot, net, held)?);
        if shares.is_zero() {
            return Err(MarketError::TradeTooSmall);
        }
        if order.min_shares.is_some_and(|least| shares < least) {
            return Err(MarketError::Slippage(Guard::MinShares(shares)));
        }
        if order.max_price.is_some_and(|most| price_per_share(order.amount, shares) > most.get()) {
            return Err(MarketError::Slippage(Guard::MaxPrice));
        }
        let after = held.plus(shares).ok_or(MarketError::TradeTooLarge)?;
        let trade =
            PricedOrder { index, side: TradeSide::Buy, cash: order.amount, fee, shares, after };
        Ok(self.fill(&outstanding, trade))
    }

    /// Computes the fill of selling `shares` of an option without changing anything. It does not
    /// check that the trader holds them: see [`Holding::shares_to_sell`]. `pot` is the balance of
    /// the market's account.
    ///
    /// # Errors
    /// [`MarketError::TradingEnded`], [`MarketError::OptionNotFound`],
    /// [`MarketError::InsufficientShares`] for more than are outstanding,
    /// [`MarketError::Slippage`], [`MarketError::TradeTooSmall`], [`MarketError::TradeTooLarge`].
    pub fn price_sell(
        &self,
        order: &SellOrder,
        shares: Shares,
        pot: Balance,
        now: Timestamp,
    ) -> Result<Fill, MarketError> {
        self.check_trading(now)?;
        let index = self.option_index(order.option_id)?;
        let outstanding = self.outstanding();
        let available = outstanding.get(index).copied().unwrap_or_default();
        let after = available
            .minus(shares)
            .ok_or(MarketError::InsufficientShares { available, needed: shares })?;
        let priced = self
            .mechanism
            .proceeds_of(&outstanding, index, shares)
            .ok_or(MarketError::TradeTooSmall)?;
        let gross = priced.minor().min(self.money_covered(pot, index, after));
        let gross = Amount::new(gross).map_err(|_| MarketError::TradeTooSmall)?;
        let fee = self.fee_on(gross);
        let cash = Amount::new(gross.minor() - fee).map_err(|_| MarketError::TradeTooSmall)?;
        if order.min_proceeds.is_some_and(|least| cash < least) {
            return Err(MarketError::Slippage(Guard::MinProceeds(cash)));
        }
        Ok(self.fill(
            &outstanding,
            PricedOrder { index, side: TradeSide::Sell, cash, fee, shares, after },
        ))
    }

    /// Returns the amount, fee included, that buys at least `shares` of an option now.
    ///
    /// # Errors
    /// [`MarketError::OptionNotFound`], [`MarketError::TradeTooSmall`] for no shares,
    /// [`MarketError::TradeTooLarge`].
    pub fn amount_for(&self, option: OptionId, shares: Shares) -> Result<Amount, MarketError> {
        if shares.is_zero() {
            return Err(MarketError::TradeTooSmall);
        }
        let index = self.option_index(option)?;
        let cost = self.mechanism.cost_of(&self.outstanding(), index, shares);
        let net = i128::from(cost.ok_or(MarketError::TradeTooLarge)?.minor());
        let kept_bps = i128::from(WHOLE_BPS - self.record.fee_bps);
        let gross = (net * i128::from(WHOLE_BPS) + kept_bps - 1) / kept_bps;
        let gross = i64::try_from(gross).map_err(|_| MarketError::TradeTooLarge)?;
        Amount::new(gross).map_err(|_| MarketError::TradeTooSmall)
    }

    /// Records a fill of this version of the market after its money has moved: `pot` is the new
    /// balance of the market's account. [`TradingDesk`](super::TradingDesk) does all of it in the
    /// right order; this is for replays of stored fills. On an error, neither the market nor the
    /// holding may be stored.
    ///
    /// # Errors
    /// [`MarketError::TradeTooLarge`] if a sum leaves the range of 64 bits.
    ///
    /// # Panics
    /// If the fill was computed for another version, or the pot no longer covers the largest
    /// payout: both are program errors, and the transaction must not be committed.
    pub fn record_fill(
        &mut self,
        fill: &Fill,
        holding: &mut Holding,
        pot: Balance,
    ) -> Result<(), MarketError> {
        assert_eq!(
            fill.market_version,
            self.record.version + 1,
            "a fill is recorded on the version it was made for"
        );
        let stake_before = holding.net_stake();
        holding.record(fill)?;
        let stake_change = holding.net_stake() - stake_before;
        let record = &mut self.record;
        if let Some(option) = record.options.get_mut(fill.option_index) {
            let after = match fill.side {
                TradeSide::Buy => option.outstanding.plus(fill.shares),
                TradeSide::Sell => option.outstanding.minus(fill.shares),
            };
            option.outstanding = after.ok_or(MarketError::TradeTooLarge)?;
        }
        let sum = |total: Balance, change: i64| {
            total.minor().checked_add(change).map(Balance::from_minor)
        };
        record.fees = sum(record.fees, fill.fee.minor()).ok_or(MarketError::TradeTooLarge)?;
        record.volume = sum(record.volume, fill.cash.minor()).ok_or(MarketError::TradeTooLarge)?;
        record.stakes = sum(record.stakes, stake_change).ok_or(MarketError::TradeTooLarge)?;
        record.bet_count = fill.sequence;
        record.version = fill.market_version;
        assert!(self.is_covered_by(pot), "the pot covers the largest payout");
        Ok(())
    }

    /// Returns the fee on an amount of money, rounded up, so that rounding never favours the
    /// trader.
    fn fee_on(&self, amount: Amount) -> i64 {
        let share = i128::from(amount.minor()) * i128::from(self.record.fee_bps);
        let whole = i128::from(WHOLE_BPS);
        i64::try_from((share + whole - 1) / whole).unwrap_or(i64::MAX)
    }

    /// Returns the balance of the pot without the collected fees.
    fn pot_without_fees(&self, pot: Balance) -> i64 {
        pot.minor().saturating_sub(self.record.fees.minor())
    }

    /// Returns the maximum number of shares that `net` more money in the pot can pay. The formula
    /// never gives more; this keeps the last unit correct whatever the error of its floating-point
    /// numbers.
    fn shares_covered(
        &self,
        pot: Balance,
        net: Amount,
        held: Shares,
    ) -> Result<Shares, MarketError> {
        let funds = self
            .pot_without_fees(pot)
            .checked_add(net.minor())
            .ok_or(MarketError::TradeTooLarge)?;
        Ok(Shares::new(funds.saturating_sub(held.units())).unwrap_or_default())
    }

    /// Returns the maximum amount that may leave the pot if `after` shares of an option stay
    /// outstanding.
    fn money_covered(&self, pot: Balance, index: usize, after: Shares) -> i64 {
        let others = self.record.options.iter().enumerate().filter(|(i, _)| *i != index);
        let owed = others.map(|(_, option)| option.outstanding).fold(after, Shares::max);
        self.pot_without_fees(pot).saturating_sub(owed.units())
    }

    fn fill(&self, outstanding: &[Shares], trade: PricedOrder) -> Fill {
        let mut later = outstanding.to_vec();
        if let Some(option) = later.get_mut(trade.index) {
            *option = trade.after;
        }
        Fill(FillRecord {
            option_index: trade.index,
            side: trade.side,
            cash: trade.cash,
            fee: Balance::from_minor(trade.fee),
            shares: trade.shares,
            prices_before: self.mechanism.prices(outstanding),
            prices_after: self.mechanism.prices(&later),
            sequence: self.record.bet_count + 1,
            market_version: self.record.version + 1,
        })
    }
}

/// A fill before its prices are computed.
#[derive(Clone, Copy)]
struct PricedOrder {
    index: usize,
    side: TradeSide,
    cash: Amount,
    fee: i64,
    shares: Shares,
    after: Shares,
}

#[expect(clippy::cast_precision_loss, reason = "a price for display and for a limit, not money")]
fn price_per_share(cash: Amount, shares: Shares) -> f64 {
    cash.minor() as f64 / shares.units() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks whether a changed fill can be restored, and deserialized.
    fn check(change: impl FnOnce(&mut FillRecord), expected: Option<FillRecordError>) {
        let mut record = FillRecord {
            option_index: 1,
            side: TradeSide::Buy,
            cash: Amount::new(5).unwrap(),
            fee: Balance::ZERO,
            shares: Shares::new(7).unwrap(),
            prices_before: vec![Probability::default(); 2],
            prices_after: vec![Probability::default(); 2],
            sequence: 1,
            market_version: 2,
        };
        change(&mut record);
        assert_eq!(Fill::restore(record.clone()).err(), expected);
        #[cfg(feature = "serde")]
        {
            let json = serde_json::to_string(&record).unwrap();
            assert_eq!(serde_json::from_str::<Fill>(&json).is_err(), expected.is_some(), "{json}");
        }
    }

    #[test]
    fn stored_fills_are_checked() {
        check(|_| (), None);
        check(|record| record.prices_after.truncate(1), Some(FillRecordError::Prices));
        check(|record| record.option_index = 2, Some(FillRecordError::Option));
        check(|record| record.fee = Balance::from_minor(-1), Some(FillRecordError::Fee));
        check(|record| record.sequence = 0, Some(FillRecordError::Sequence));
        check(|record| record.market_version = 0, Some(FillRecordError::MarketVersion));
    }
}
