//! Holdings: what one trader has in one market, option by option.

use super::{Fill, MarketError, Quantity, TradeSide};
use crate::id::{AccountId, MarketId};
use crate::money::Balance;
use crate::shares::Shares;

/// What a trader holds of one option, and the money that went in and out for it, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// The shares held now.
    pub shares: Shares,
    /// What all bets on it cost, fees included.
    pub spent: Balance,
    /// What all sales of it brought, fees deducted.
    pub received: Balance,
}

/// One trader's positions in one market, in the order of its options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The market.
    pub market_id: MarketId,
    /// The trader's account.
    pub account_id: AccountId,
    /// One position an option.
    pub positions: Vec<Position>,
}

impl Holding {
    /// Nothing of any of `option_count` options.
    pub fn empty(market_id: MarketId, account_id: AccountId, option_count: usize) -> Self {
        Self { market_id, account_id, positions: vec![Position::default(); option_count] }
    }

    /// The money put in beyond the money taken out, at least zero: what a cancellation returns.
    pub fn net_stake(&self) -> i64 {
        let net = |position: &Position| position.spent.minor() - position.received.minor();
        self.positions.iter().map(net).sum::<i64>().max(0)
    }

    /// How many shares of the option at `index` a sale means.
    ///
    /// # Errors
    /// [`MarketError::InsufficientShares`] if it means none or more than are held.
    pub fn shares_to_sell(&self, index: usize, quantity: Quantity) -> Result<Shares, MarketError> {
        let available = self.positions.get(index).map_or(Shares::ZERO, |position| position.shares);
        let needed = match quantity {
            Quantity::All => available,
            Quantity::Shares(shares) => shares,
        };
        if needed.is_zero() || needed > available {
            return Err(MarketError::InsufficientShares { available, needed });
        }
        Ok(needed)
    }

    /// Enters a fill made for this trader.
    pub(super) fn record(&mut self, fill: &Fill) -> Result<(), MarketError> {
        let position = self.positions.get_mut(fill.option_index).ok_or(MarketError::TradeTooLarge)?;
        match fill.side {
            TradeSide::Buy => {
                position.shares = position.shares.plus(fill.shares).ok_or(MarketError::TradeTooLarge)?;
                position.spent = position.spent.plus(fill.cash).ok_or(MarketError::TradeTooLarge)?;
            }
            TradeSide::Sell => {
                position.shares = position.shares.minus(fill.shares).ok_or(MarketError::TradeTooLarge)?;
                position.received = position.received.plus(fill.cash).ok_or(MarketError::TradeTooLarge)?;
            }
        }
        Ok(())
    }
}
