//! What commands come to, as it is answered and stored for repetitions.

use foretell_domain::error::DomainError;
use foretell_domain::id::{AccountId, UserId};
use foretell_domain::market::{Bet, Listing, Market, MarketRecord, SettlementTerms, TradeSide};
use foretell_domain::money::Balance;
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::Transfer;
use foretell_ports::market::MarketDetails;

/// What a command came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A user registered.
    Registered(Registered),
    /// Money moved.
    Transferred(Transfer),
    /// The payments of a batch, in their order.
    Batch(Vec<Result<Transfer, DomainError>>),
    /// A market opened.
    MarketOpened(Box<MarketOpened>),
    /// A bet or sale was made.
    Traded(Box<TradeReceipt>),
    /// A market was closed or decided.
    MarketChanged(Box<MarketState>),
    /// A market was deleted.
    MarketDeleted,
    /// A set was paid; whether the settlement is complete.
    SetPaid {
        /// Whether nothing is left to pay.
        complete: bool,
    },
}

/// A new user with their account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registered {
    /// The user.
    pub user_id: UserId,
    /// Their account.
    pub account_id: AccountId,
    /// What it holds.
    pub balance: Balance,
}

/// A market as it opened.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketOpened {
    /// Its state.
    pub record: MarketRecord,
    /// What people read of it.
    pub listing: Listing,
    /// What its creator's account holds after the subsidy.
    pub balance: Balance,
    /// When it opened.
    pub created_at: Timestamp,
}

impl MarketOpened {
    /// The market as a reader would have seen it then; `None` if the record makes no market.
    pub fn into_details(self) -> Option<MarketDetails> {
        let (pot, at) = (Balance::from(self.record.subsidy), self.created_at);
        let market = Market::restore(self.record).ok()?;
        Some(MarketDetails { market, listing: self.listing, pot, created_at: at, updated_at: at })
    }
}

/// A bet or sale, and what the trader's account holds after it.
#[derive(Debug, Clone, PartialEq)]
pub struct TradeReceipt {
    /// The bet or sale.
    pub bet: Bet,
    /// What the trader's account holds after it.
    pub balance: Balance,
}

impl TradeReceipt {
    /// The receipt of a trade and the transfer that moved its money.
    pub(super) fn new(bet: Bet, transfer: &Transfer) -> Self {
        let traders_side = match bet.fill.side {
            TradeSide::Buy => transfer.debit,
            TradeSide::Sell => transfer.credit,
        };
        Self { bet, balance: traders_side.balance_after }
    }
}

/// A market after it was closed or decided.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketState {
    /// Its state.
    pub record: MarketRecord,
    /// What its holders are owed, once decided.
    pub terms: Option<SettlementTerms>,
    /// When it changed.
    pub at: Timestamp,
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt<T> {
    /// What it came to, or why it was refused.
    pub result: Result<T, DomainError>,
    /// Whether the answer is that of an earlier command of the same key.
    pub is_replay: bool,
}

impl<T> Receipt<T> {
    /// The same answer with another form of its outcome; `None` from `convert` is a fault of the program.
    pub(crate) fn map<U>(
        self,
        convert: impl FnOnce(T) -> Option<U>,
    ) -> Result<Receipt<U>, crate::error::AppError> {
        let mismatch = crate::error::AppError::Internal("a command came to another command's outcome");
        let result = match self.result {
            Ok(outcome) => Ok(convert(outcome).ok_or(mismatch)?),
            Err(refusal) => Err(refusal),
        };
        Ok(Receipt { result, is_replay: self.is_replay })
    }
}
