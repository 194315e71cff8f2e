//! What traders did and hold over all markets, and what came of it.

use foretell_domain::id::{BetId, MarketId, UserId};
use foretell_domain::market::{Bet, Position};
use foretell_domain::time::Timestamp;

/// The place of a bet among those of its user: by when it was made, and by id within one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BetKey {
    /// When it was made.
    pub created_at: Timestamp,
    /// The bet, which breaks ties.
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
    /// What is held, and what went in and out for it.
    pub position: Position,
}

impl HeldPosition {
    /// Its place among the positions of its account.
    pub const fn key(&self) -> HeldKey {
        HeldKey { market_id: self.market_id, option_index: self.option_index }
    }
}

/// The place of a position among those of its account: the newest market first, and its options in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldKey {
    /// The market.
    pub market_id: MarketId,
    /// The option's position among the market's options.
    pub option_index: usize,
}

/// What a user's trades have brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profit {
    /// The user.
    pub user_id: UserId,
    /// What came in less what went out, in minor units.
    pub profit_minor: i64,
}
