//! Domain events: facts that a change has established. They are stored nowhere; the unit of work
//! that makes the change derives from them what else must happen, such as emails and webhooks.

use crate::id::{MarketId, PostId, UserId};
use crate::market::Phase;
use crate::time::Timestamp;

/// A fact that a change has established.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DomainEvent {
    /// A user has registered.
    UserRegistered(UserId),
    /// A market has opened.
    MarketOpened {
        /// The market.
        market: MarketId,
        /// Its end date.
        ends_at: Timestamp,
    },
    /// The texts or the end date of a market were changed.
    MarketEdited {
        /// The market.
        market: MarketId,
        /// The new end date, if it was changed.
        ends_at: Option<Timestamp>,
    },
    /// Shares were bought or sold.
    SharesTraded {
        /// The market.
        market: MarketId,
        /// Sequence number of the trade in the market.
        sequence: i64,
    },
    /// A market was closed, resolved or cancelled.
    PhaseChanged {
        /// The market.
        market: MarketId,
        /// Its phase before.
        from: Phase,
        /// Number of trades in the market so far.
        sequence: i64,
    },
    /// A market and everything in it was deleted.
    MarketDeleted(MarketId),
    /// Users have received what a decided market pays for their shares.
    HoldersPaid {
        /// The market.
        market: MarketId,
        /// The owners of the accounts, each once.
        users: Vec<UserId>,
    },
    /// A post was created or changed.
    PostWritten(PostId),
}
