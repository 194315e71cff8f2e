//! Holdings: the shares of one trader in one market, option by option.

use super::{Fill, MarketError, Quantity, TradeSide};
use crate::id::{AccountId, MarketId};
use crate::money::Balance;
use crate::shares::Shares;

/// A trader's shares of one option, and the money paid and received for it, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Position {
    /// The shares held now.
    pub shares: Shares,
    /// Cost of all bets on it, fees included.
    pub spent: Balance,
    /// Proceeds of all sales of it, fees deducted.
    pub received: Balance,
}

/// One trader's positions in one market, in the order of its options.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Holding {
    /// The market.
    pub market_id: MarketId,
    /// The trader's account.
    pub account_id: AccountId,
    /// One position for each option.
    pub positions: Vec<Position>,
}

impl Holding {
    /// Returns a holding without shares of `option_count` options.
    pub fn empty(market_id: MarketId, account_id: AccountId, option_count: usize) -> Self {
        Self { market_id, account_id, positions: vec![Position::default(); option_count] }
    }

    /// Returns the money paid minus the money received, at least zero: the refund of a
    /// cancellation.
    pub fn net_stake(&self) -> i64 {
        let net = |position: &Position| position.spent.minor() - position.received.minor();
        self.positions.iter().map(net).sum::<i64>().max(0)
    }

    /// Returns the number of shares of the option at `index` that a sale of `quantity` sells.
    ///
    /// # Errors
    /// [`MarketError::InsufficientShares`] if this is none or more than the trader holds.
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

    /// Adds a fill of this trader.
    pub(super) fn record(&mut self, fill: &Fill) -> Result<(), MarketError> {
        let position =
            self.positions.get_mut(fill.option_index).ok_or(MarketError::TradeTooLarge)?;
        match fill.side {
            TradeSide::Buy => {
                position.shares =
                    position.shares.plus(fill.shares).ok_or(MarketError::TradeTooLarge)?;
                position.spent =
                    position.spent.plus(fill.cash).ok_or(MarketError::TradeTooLarge)?;
            }
            TradeSide::Sell => {
                position.shares =
                    position.shares.minus(fill.shares).ok_or(MarketError::TradeTooLarge)?;
                position.received =
                    position.received.plus(fill.cash).ok_or(MarketError::TradeTooLarge)?;
            }
        }
        Ok(())
    }
}
