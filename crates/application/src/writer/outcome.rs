//! Outcomes of commands, as they are returned and stored for repetitions.

use foretell_domain::error::DomainError;
use foretell_domain::id::{AccountId, UserId};
use foretell_domain::market::{
    Bet, Market, MarketRecord, MarketTexts, Resolution, SettlementTerms, TradeSide,
};
use foretell_domain::money::Balance;
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::Transfer;
use foretell_ports::market::MarketDetails;

use super::typed_command::TypedCommand;
use crate::error::AppError;

/// Outcome of a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A user registered.
    Registered(Registered),
    /// Money moved.
    Transferred(Transfer),
    /// Payments of a batch, in order.
    Batch(Vec<Result<Transfer, DomainError>>),
    /// A market opened.
    MarketOpened(Box<MarketOpened>),
    /// A bet or sale was made.
    Traded(Box<TradeReceipt>),
    /// A market was closed or decided.
    MarketChanged(Box<MarketState>),
    /// A resolution was proposed, or its undoing ordered.
    ResolutionChanged(Box<Resolution>),
    /// A market was deleted.
    MarketDeleted,
    /// A set of holders was paid.
    SetPaid {
        /// `true` if nothing is left to pay.
        complete: bool,
    },
}

/// A new user with the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registered {
    /// The user.
    pub user_id: UserId,
    /// The new account.
    pub account_id: AccountId,
    /// Balance of the account.
    pub balance: Balance,
}

/// A market right after its creation.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketOpened {
    /// State.
    pub record: MarketRecord,
    /// Texts.
    pub texts: MarketTexts,
    /// Balance of the creator's account after the subsidy.
    pub balance: Balance,
    /// Creation time.
    pub created_at: Timestamp,
}

impl MarketOpened {
    /// Returns the market as a reader would have seen it then; `None` if the record is not valid.
    pub fn into_details(self) -> Option<MarketDetails> {
        let (pot, at) = (Balance::from(self.record.subsidy), self.created_at);
        let market = Market::restore(self.record).ok()?;
        Some(MarketDetails { market, texts: self.texts, pot, created_at: at, updated_at: at })
    }
}

/// A bet or sale, and the balance of the trader's account after it.
#[derive(Debug, Clone, PartialEq)]
pub struct TradeReceipt {
    /// The bet or sale.
    pub bet: Bet,
    /// Balance of the trader's account after it.
    pub balance: Balance,
}

impl TradeReceipt {
    /// Creates the receipt from a trade and the transfer that moved its money.
    pub(super) fn new(bet: Bet, transfer: &Transfer) -> Self {
        let traders_side = match bet.fill.side {
            TradeSide::Buy => transfer.debit,
            TradeSide::Sell => transfer.credit,
        };
        Self { bet, balance: traders_side.balance_after }
    }
}

/// A market after it was closed, resolved or cancelled.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketState {
    /// State.
    pub record: MarketRecord,
    /// Terms by which its holders are paid, once decided.
    pub terms: Option<SettlementTerms>,
    /// Time of the change.
    pub at: Timestamp,
}

/// Result of a command.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt<T> {
    /// Outcome, or the domain error that rejected it.
    pub result: Result<T, DomainError>,
    /// `true` if this is the result of an earlier command with the same key.
    pub is_replay: bool,
}

impl Receipt<Outcome> {
    /// Returns the receipt of a command of this type.
    ///
    /// # Errors
    /// [`AppError::Internal`] if the outcome is that of another command.
    pub(super) fn of<C: TypedCommand>(self) -> Result<Receipt<C::Output>, AppError> {
        let mismatch = AppError::Internal("a command came to another command's outcome");
        let result = match self.result {
            Ok(outcome) => Ok(C::output(outcome).ok_or(mismatch)?),
            Err(refusal) => Err(refusal),
        };
        Ok(Receipt { result, is_replay: self.is_replay })
    }
}
