//! Format 1 of outcomes, and the reader of outcomes stored before formats had a number.
//!
//! Rows that never change are stored by reference: a transfer or trade by its id, the transfers of
//! a batch by the versions that they gave the payer's account, which are consecutive.

use foretell_domain::error::DomainError;
use foretell_domain::id::{AccountId, BetId, TransferId, UserId};
use foretell_domain::money::Balance;
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::Transfer;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::market::{MarketRecordV1, MarketTextsV1, TermsV1};
use super::refusal::RefusalV1;
use super::resolution::ResolutionV1;
use super::transfer::UnnumberedTransfer;
use crate::writer::outcome::{MarketOpened, MarketState, Outcome, Registered};

/// Number of the current format.
const FORMAT: u64 = 1;

/// Result of a command.
pub(in crate::writer) type CommandResult = Result<Outcome, DomainError>;

/// A stored outcome: complete, or as a reference to rows.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::writer) enum Stored {
    /// The complete outcome.
    Whole(CommandResult),
    /// The transfer with this id.
    Transfer(TransferId),
    /// The trade with this id, and its transfer.
    Trade(BetId),
    /// The payments of a batch, in order.
    Batch(Vec<BatchRun>),
}

/// Consecutive payments of a batch.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::writer) enum BatchRun {
    /// Transfers that gave the payer's account these versions.
    Paid {
        /// The account.
        from: AccountId,
        /// Version after the first of them.
        first_version: i64,
        /// Number of transfers.
        count: u32,
    },
    /// A number of equal errors.
    Refused(DomainError, u32),
}

#[derive(Serialize)]
struct Numbered<'a> {
    format: u64,
    outcome: OutcomeV1<'a>,
}

#[derive(Serialize, Deserialize)]
enum OutcomeV1<'a> {
    Refused(RefusalV1),
    Registered(RegisteredV1),
    Transfer(TransferId),
    Trade(BetId),
    Batch(Vec<BatchRunV1>),
    MarketOpened(MarketOpenedV1<'a>),
    MarketChanged(MarketStateV1),
    ResolutionChanged(ResolutionV1<'a>),
    MarketDeleted,
    SetPaid { complete: bool },
}

#[derive(Serialize, Deserialize)]
enum BatchRunV1 {
    Paid { from: AccountId, first_version: i64, count: u32 },
    Refused { refusal: RefusalV1, count: u32 },
}

#[derive(Serialize, Deserialize)]
struct RegisteredV1 {
    user_id: UserId,
    account_id: AccountId,
    balance: i64,
}

#[derive(Serialize, Deserialize)]
struct MarketOpenedV1<'a> {
    record: MarketRecordV1,
    listing: MarketTextsV1<'a>,
    balance: i64,
    created_at: i64,
}

#[derive(Serialize, Deserialize)]
struct MarketStateV1 {
    record: MarketRecordV1,
    terms: Option<TermsV1>,
    at: i64,
}

/// An outcome stored before formats had a number.
#[derive(Deserialize)]
enum Unnumbered {
    Ok(Box<UnnumberedOutcome>),
    Err(RefusalV1),
    Transfer(TransferId),
    Trade(BetId),
}

#[derive(Deserialize)]
enum UnnumberedOutcome {
    Registered(RegisteredV1),
    Batch(Vec<Result<UnnumberedTransfer, RefusalV1>>),
    MarketOpened(MarketOpenedV1<'static>),
    MarketChanged(MarketStateV1),
    MarketDeleted,
    SetPaid { complete: bool },
}

/// Serializes a result.
pub(in crate::writer) fn write(result: &CommandResult) -> serde_json::Result<String> {
    let outcome = match result {
        Err(refusal) => OutcomeV1::Refused(refusal.into()),
        Ok(outcome) => OutcomeV1::from(outcome),
    };
    serde_json::to_string(&Numbered { format: FORMAT, outcome })
}

/// Parses a stored result; `None` for an unknown format.
pub(in crate::writer) fn read(text: &str) -> Option<Stored> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    match value.get("format").map(Value::as_u64) {
        Some(Some(FORMAT)) => {
            serde_json::from_value::<OutcomeV1<'static>>(value.get_mut("outcome")?.take())
                .ok()?
                .into_stored()
        }
        // Written by a later version of the program: its meaning must not be guessed.
        Some(_) => None,
        None => serde_json::from_value::<Unnumbered>(value).ok()?.into_stored(),
    }
}

impl<'a> From<&'a Outcome> for OutcomeV1<'a> {
    fn from(outcome: &'a Outcome) -> Self {
        match outcome {
            Outcome::Registered(Registered { user_id, account_id, balance }) => {
                let (user_id, account_id) = (*user_id, *account_id);
                Self::Registered(RegisteredV1 { user_id, account_id, balance: balance.minor() })
            }
            Outcome::Transferred(transfer) => Self::Transfer(transfer.id),
            Outcome::Traded(receipt) => Self::Trade(receipt.bet.id),
            Outcome::Batch(results) => {
                Self::Batch(runs(results).iter().map(BatchRunV1::from).collect())
            }
            Outcome::MarketOpened(opened) => Self::MarketOpened(MarketOpenedV1 {
                record: (&opened.record).into(),
                listing: (&opened.texts).into(),
                balance: opened.balance.minor(),
                created_at: opened.created_at.micros(),
            }),
            Outcome::MarketChanged(state) => Self::MarketChanged(MarketStateV1 {
                record: (&state.record).into(),
                terms: state.terms.as_ref().map(TermsV1::from),
                at: state.at.micros(),
            }),
            Outcome::ResolutionChanged(resolution) => {
                Self::ResolutionChanged(resolution.as_ref().into())
            }
            Outcome::MarketDeleted => Self::MarketDeleted,
            Outcome::SetPaid { complete } => Self::SetPaid { complete: *complete },
        }
    }
}

impl OutcomeV1<'_> {
    fn into_stored(self) -> Option<Stored> {
        Some(match self {
            Self::Refused(refusal) => Stored::Whole(Err(refusal.into_refusal()?)),
            Self::Registered(registered) => whole(registered.into_outcome()),
            Self::Transfer(id) => Stored::Transfer(id),
            Self::Trade(id) => Stored::Trade(id),
            Self::Batch(runs) => {
                Stored::Batch(runs.into_iter().map(BatchRunV1::into_run).collect::<Option<_>>()?)
            }
            Self::MarketOpened(opened) => whole(opened.into_outcome()?),
            Self::MarketChanged(state) => whole(state.into_outcome()?),
            Self::ResolutionChanged(resolution) => {
                whole(Outcome::ResolutionChanged(Box::new(resolution.into_resolution()?)))
            }
            Self::MarketDeleted => whole(Outcome::MarketDeleted),
            Self::SetPaid { complete } => whole(Outcome::SetPaid { complete }),
        })
    }
}

impl Unnumbered {
    fn into_stored(self) -> Option<Stored> {
        let outcome = match self {
            Self::Ok(outcome) => outcome,
            Self::Err(refusal) => return Some(Stored::Whole(Err(refusal.into_refusal()?))),
            Self::Transfer(id) => return Some(Stored::Transfer(id)),
            Self::Trade(id) => return Some(Stored::Trade(id)),
        };
        Some(whole(match *outcome {
            UnnumberedOutcome::Registered(registered) => registered.into_outcome(),
            UnnumberedOutcome::Batch(results) => {
                let result = |result: Result<UnnumberedTransfer, RefusalV1>| match result {
                    Ok(transfer) => transfer.into_transfer().map(Ok),
                    Err(refusal) => refusal.into_refusal().map(Err),
                };
                Outcome::Batch(results.into_iter().map(result).collect::<Option<_>>()?)
            }
            UnnumberedOutcome::MarketOpened(opened) => opened.into_outcome()?,
            UnnumberedOutcome::MarketChanged(state) => state.into_outcome()?,
            UnnumberedOutcome::MarketDeleted => Outcome::MarketDeleted,
            UnnumberedOutcome::SetPaid { complete } => Outcome::SetPaid { complete },
        }))
    }
}

fn whole(outcome: Outcome) -> Stored {
    Stored::Whole(Ok(outcome))
}

/// Groups the results of a batch: payments with consecutive versions, and equal errors.
fn runs(results: &[Result<Transfer, DomainError>]) -> Vec<BatchRun> {
    let mut runs: Vec<BatchRun> = Vec::new();
    for result in results {
        match (runs.last_mut(), result) {
            (Some(BatchRun::Paid { from, first_version, count }), Ok(transfer))
                if transfer.debit.account_id == *from
                    && transfer.debit.version == *first_version + i64::from(*count) =>
            {
                // The versions of an account have no gap, so the first one and a count find all
                // rows again.
                *count += 1;
            }
            (Some(BatchRun::Refused(last, count)), Err(refusal)) if refusal == last => *count += 1,
            (_, Ok(transfer)) => runs.push(BatchRun::Paid {
                from: transfer.debit.account_id,
                first_version: transfer.debit.version,
                count: 1,
            }),
            (_, Err(refusal)) => runs.push(BatchRun::Refused(*refusal, 1)),
        }
    }
    runs
}

impl From<&BatchRun> for BatchRunV1 {
    fn from(run: &BatchRun) -> Self {
        match run {
            BatchRun::Paid { from, first_version, count } => {
                Self::Paid { from: *from, first_version: *first_version, count: *count }
            }
            BatchRun::Refused(refusal, count) => {
                Self::Refused { refusal: refusal.into(), count: *count }
            }
        }
    }
}

impl BatchRunV1 {
    fn into_run(self) -> Option<BatchRun> {
        Some(match self {
            Self::Paid { from, first_version, count } => {
                BatchRun::Paid { from, first_version, count }
            }
            Self::Refused { refusal, count } => BatchRun::Refused(refusal.into_refusal()?, count),
        })
    }
}

impl RegisteredV1 {
    fn into_outcome(self) -> Outcome {
        let balance = Balance::from_minor(self.balance);
        Outcome::Registered(Registered {
            user_id: self.user_id,
            account_id: self.account_id,
            balance,
        })
    }
}

impl MarketOpenedV1<'_> {
    fn into_outcome(self) -> Option<Outcome> {
        Some(Outcome::MarketOpened(Box::new(MarketOpened {
            record: self.record.into_record()?,
            texts: self.listing.into_texts()?,
            balance: Balance::from_minor(self.balance),
            created_at: Timestamp::from_micros(self.created_at),
        })))
    }
}

impl MarketStateV1 {
    fn into_outcome(self) -> Option<Outcome> {
        Some(Outcome::MarketChanged(Box::new(MarketState {
            record: self.record.into_record()?,
            terms: self.terms.map(Into::into),
            at: Timestamp::from_micros(self.at),
        })))
    }
}
