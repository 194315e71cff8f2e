//! Portfolios: the bets, positions and profits of traders in all markets.

use foretell_domain::id::{BetId, MarketId, UserId};
use foretell_domain::market::{Bet, Position};
use foretell_domain::time::Timestamp;

/// Cursor in a user's list of bets: by time, and by id within the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BetKey {
    /// Time of the bet.
    pub created_at: Timestamp,
    /// The bet, as the tie breaker.
    pub id: BetId,
}

impl From<&Bet> for BetKey {
    fn from(bet: &Bet) -> Self {
        Self { created_at: bet.created_at, id: bet.id }
    }
}

/// The position of an account in one option of one market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldPosition {
    /// The market.
    pub market_id: MarketId,
    /// The option's position among the market's options.
    pub option_index: usize,
    /// The shares, and the money paid and received for them.
    pub position: Position,
}

impl HeldPosition {
    /// Returns the cursor of the position in the account's list.
    pub const fn key(&self) -> HeldKey {
        HeldKey { market_id: self.market_id, option_index: self.option_index }
    }
}

/// Cursor in an account's list of positions: newest market first, and its options in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldKey {
    /// The market.
    pub market_id: MarketId,
    /// The option's position among the market's options.
    pub option_index: usize,
}

/// Profit of a user's trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profit {
    /// The user.
    pub user_id: UserId,
    /// Money received minus money paid, in minor units.
    pub profit_minor: i64,
}
