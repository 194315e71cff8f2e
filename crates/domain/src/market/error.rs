//! Why a market refuses an order or a change.

use thiserror::Error;

use super::lmsr::LmsrError;
use super::{Phase, SplitError};
use crate::id::{ClientId, MarketId, OptionId};
use crate::money::Amount;
use crate::shares::Shares;

/// The limit of an order that its fill would not keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Guard {
    /// A bet would give fewer shares: this many.
    MinShares(Shares),
    /// A sale would give less money: this much.
    MinProceeds(Amount),
    /// A bet would cost more a share than its limit.
    MaxPrice,
}

/// Why a market refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum MarketError {
    /// There is no such market.
    #[error("market not found: {0}")]
    NotFound(MarketId),
    /// The market has no such option.
    #[error("option not found: {0}")]
    OptionNotFound(OptionId),
    /// A bet or sale with this id already happened.
    #[error("bet already exists: {0}")]
    DuplicateBet(ClientId),
    /// The market takes no trades: it is not open, or its end date has passed.
    #[error("market is closed for trading")]
    TradingEnded,
    /// Only an open market can be closed.
    #[error("market is not open but {}", phase.as_str())]
    NotOpen {
        /// Where it stands.
        phase: Phase,
    },
    /// The end date has not come yet.
    #[error("the market ends later")]
    EndsLater,
    /// The market is resolved or cancelled, for good.
    #[error("market is already {}", phase.as_str())]
    AlreadyDecided {
        /// Where it stands.
        phase: Phase,
    },
    /// Somebody has bet, so the market stays, to be decided.
    #[error("the market has bets and cannot be deleted")]
    HasBets,
    /// The order's own limit was not met, so nothing of it was done.
    #[error("the price has moved beyond the order's limit")]
    Slippage(Guard),
    /// The trader holds fewer shares than the sale needs.
    #[error("insufficient shares")]
    InsufficientShares {
        /// What the trader holds.
        available: Shares,
        /// What the sale needs.
        needed: Shares,
    },
    /// The money or the shares come to nothing once rounded.
    #[error("the trade is too small to be worth one unit")]
    TradeTooSmall,
    /// The trade leaves the range in which prices are exact.
    #[error("the trade is too large for the market")]
    TradeTooLarge,
    /// A market ends after it opens.
    #[error("the end date must be in the future")]
    EndsInThePast,
    /// The subsidy is below the operator's minimum.
    #[error("the subsidy is below the minimum")]
    SubsidyTooSmall {
        /// The smallest subsidy.
        min: Amount,
    },
    /// The fee is above the highest that is allowed.
    #[error("the fee is at most {max_bps} basis points")]
    FeeTooHigh {
        /// The highest fee, in basis points.
        max_bps: u16,
    },
    /// Either every option has an initial probability or none has.
    #[error("either all options have a probability or none has")]
    SomeProbabilities,
    /// No mechanism can be made of these probabilities.
    #[error(transparent)]
    Probabilities(LmsrError),
    /// The split does not fit the market.
    #[error(transparent)]
    Split(#[from] SplitError),
}
