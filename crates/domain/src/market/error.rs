//! Reasons why a market rejects an order or a change.

use thiserror::Error;

use super::lmsr::LmsrError;
use super::{Phase, SplitError};
use crate::id::{ClientId, MarketId, OptionId};
use crate::money::Amount;
use crate::shares::Shares;
use crate::time::Timestamp;

/// Limit of an order that its fill does not meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Guard {
    /// A bet would buy only this many shares.
    MinShares(Shares),
    /// A sale would pay only this much money.
    MinProceeds(Amount),
    /// A bet would cost more per share than its limit.
    MaxPrice,
}

/// Reason why a market rejects an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum MarketError {
    /// There is no such market.
    #[error("market not found: {0}")]
    NotFound(MarketId),
    /// The market has no such option.
    #[error("option not found: {0}")]
    OptionNotFound(OptionId),
    /// A bet or sale with this id already exists.
    #[error("bet already exists: {0}")]
    DuplicateBet(ClientId),
    /// The market takes no trades: it is not open, or its end date has passed.
    #[error("market is closed for trading")]
    TradingEnded,
    /// Only an open market can be closed.
    #[error("market is not open but {}", phase.as_str())]
    NotOpen {
        /// Current phase.
        phase: Phase,
    },
    /// The end date has not passed yet.
    #[error("the market ends later")]
    EndsLater,
    /// The market is already resolved or cancelled, which is final.
    #[error("market is already {}", phase.as_str())]
    AlreadyDecided {
        /// Current phase.
        phase: Phase,
    },
    /// The market is neither resolved nor cancelled.
    #[error("market is not decided but {}", phase.as_str())]
    NotDecided {
        /// Current phase.
        phase: Phase,
    },
    /// The settlement is being undone, which must end first.
    #[error("the settlement is being undone")]
    BeingUndone,
    /// A proposed resolution waits for its challenge time or, if disputed, for staff without a part
    /// in the market.
    #[error("a resolution is proposed already")]
    ProposalPending,
    /// No resolution is proposed.
    #[error("no resolution is proposed")]
    NoProposal,
    /// The proposal is disputed, or its challenge time has not passed yet.
    #[error("the proposal does not take effect yet")]
    ProposalNotDue,
    /// The user has already disputed the proposal.
    #[error("the user has already disputed the proposal")]
    AlreadyDisputed,
    /// Only an ended market that is not decided can be reopened.
    #[error("market is not closed but {}", phase.as_str())]
    NotClosed {
        /// Current phase.
        phase: Phase,
    },
    /// The operator does not allow creators to trade in their own markets.
    #[error("creators may not trade in their own markets")]
    CreatorMayNotTrade,
    /// The option costs as much as it can pay, so the order must state its maximum price.
    #[error("an order at a price of 1.0 must state its maximum price")]
    MaxPriceRequired,
    /// The market has bets, so it cannot be deleted, only resolved or cancelled.
    #[error("the market has bets and cannot be deleted")]
    HasBets,
    /// The limit of the order was not met, so the order was not executed.
    #[error("the price has moved beyond the order's limit")]
    Slippage(Guard),
    /// The trader holds fewer shares than the sale needs.
    #[error("insufficient shares")]
    InsufficientShares {
        /// Shares held.
        available: Shares,
        /// Shares required by the sale.
        needed: Shares,
    },
    /// The money or the shares round to zero.
    #[error("the trade is too small to be worth one unit")]
    TradeTooSmall,
    /// The trade leaves the range in which prices are exact.
    #[error("the trade is too large for the market")]
    TradeTooLarge,
    /// A market must end after it opens.
    #[error("the end date must be in the future")]
    EndsInThePast,
    /// Users have bet on the question as it is, so that only staff without a part in the market may
    /// change it.
    #[error("users have bet on the question, so it can only be clarified")]
    QuestionFrozen,
    /// Users have bet until the end date, so that it may be put off only this far.
    #[error("the end date is too late")]
    EndsTooLate {
        /// Latest end date.
        latest: Timestamp,
    },
    /// The subsidy is below the operator's minimum.
    #[error("the subsidy is below the minimum")]
    SubsidyTooSmall {
        /// Minimum subsidy.
        min: Amount,
    },
    /// The fee is above the maximum.
    #[error("the fee is at most {max_bps} basis points")]
    FeeTooHigh {
        /// Maximum fee, in basis points.
        max_bps: u16,
    },
    /// Some options have an initial probability and others have none.
    #[error("either all options have a probability or none has")]
    SomeProbabilities,
    /// No mechanism can have these probabilities.
    #[error(transparent)]
    Probabilities(LmsrError),
    /// The split does not fit the market.
    #[error(transparent)]
    Split(#[from] SplitError),
}
