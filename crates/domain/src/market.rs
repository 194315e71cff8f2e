//! Markets: questions with 2 to 10 options, priced by a scoring rule and paid from a pot.

pub mod curve;
mod desk;
mod edit;
mod error;
mod holding;
pub mod lmsr;
mod replay;
mod resolution;
mod revision;
mod settlement;
mod texts;
mod trade;

pub use desk::{Trade, TradingDesk};
pub use edit::{EditRight, MAX_POSTPONEMENT, MarketEdit, Stakes};
pub use error::{Guard, MarketError};
pub use holding::{Holding, Position};
pub use replay::{Difference, Replay, StoredTrade};
pub use resolution::{
    DecisionRight, Dispute, Evidence, MarketOutcome, MarketRules, Resolution, ResolutionStatus,
    Undo,
};
pub use revision::{MarketRevision, RevisionKind};
pub use settlement::{
    HOLDERS_PER_SET, Payout, Settlement, SettlementTerms, SettlementUndo, SplitError,
};
pub use texts::{MarketTexts, MarketTextsError};
pub use trade::{Bet, BuyOrder, Fill, FillRecord, FillRecordError, Quantity, SellOrder, TradeSide};

use crate::id::{AccountId, MarketId, OptionId, UserId};
use crate::money::{Amount, Balance};
use crate::probability::Probability;
use crate::shares::Shares;
use crate::time::Timestamp;
use lmsr::{Lmsr, Mechanism as _};

/// Minimum number of options of a market.
pub const MIN_OPTIONS: usize = 2;
/// Maximum number of options of a market.
pub const MAX_OPTIONS: usize = 10;
/// One hundred percent, in basis points.
pub const WHOLE_BPS: u16 = 10_000;
/// Maximum trading fee, in basis points.
pub const MAX_FEE_BPS: u16 = 1_000;

/// Phase of a market: `Open -> Closed -> Resolved | Cancelled`; `Closed` may be skipped. Reopening a
/// market and undoing its settlement lead back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum Phase {
    /// Takes trades until its end date.
    Open,
    /// Takes no more trades and waits to be resolved.
    Closed,
    /// Resolved; the settlement pays the holders.
    Resolved,
    /// Cancelled; the settlement returns the stakes.
    Cancelled,
}

impl Phase {
    const ALL: [Self; 4] = [Self::Open, Self::Closed, Self::Resolved, Self::Cancelled];

    /// Returns the name used in JSON and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Resolved => "resolved",
            Self::Cancelled => "cancelled",
        }
    }

    /// Returns the phase with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == name)
    }
}

/// One option of a market, with the shares that traders hold.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OptionState {
    /// Identifier of the option.
    pub id: OptionId,
    /// Its probability when the market opened.
    pub initial: Probability,
    /// Shares held by all traders, in minor units: what the pot owes if this option wins.
    pub outstanding: Shares,
}

/// The data needed to open a market, apart from its [`MarketTexts`].
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Opening {
    /// Identifier of the market and of its pot.
    pub id: MarketId,
    /// User who opens it.
    pub creator_id: UserId,
    /// Account that pays the subsidy and receives the remainder.
    pub creator_account_id: AccountId,
    /// End date: the last trade is before it. It is after `now`.
    pub ends_at: Timestamp,
    /// Maximum loss of the market, which its creator pays into the pot.
    pub subsidy: Amount,
    /// Fee that each trade pays into the pot, in basis points of its money, 0 to 1,000.
    pub fee_bps: u16,
    /// The options with their initial probabilities. Either all have one, or none has: they are
    /// then equal.
    pub options: Vec<(OptionId, Option<Probability>)>,
}

/// A stored market: the unchecked fields of a [`Market`].
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MarketRecord {
    /// Identifier of the market and of its pot.
    pub id: MarketId,
    /// User who opened it.
    pub creator_id: UserId,
    /// Account that paid the subsidy and receives the remainder.
    pub creator_account_id: AccountId,
    /// End date: the last trade is before it.
    pub ends_at: Timestamp,
    /// Phase.
    pub phase: Phase,
    /// Maximum loss of the market.
    pub subsidy: Amount,
    /// The trading fee in basis points.
    pub fee_bps: u16,
    /// The options in order.
    pub options: Vec<OptionState>,
    /// The fees collected, still in the pot.
    pub fees: Balance,
    /// Money of all trades, in both directions.
    pub volume: Balance,
    /// Sum of all traders' net stakes, each at least zero: the refunds of a cancellation.
    pub stakes: Balance,
    /// Number of bets and sales.
    pub bet_count: i64,
    /// Number of the newest [`MarketRevision`]: 1 until something is edited or clarified.
    pub revision: i64,
    /// Number of changes of the market, including its creation.
    pub version: i64,
}

/// A market: its options, the outstanding shares and the mechanism that prices them.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "MarketRecord", into = "MarketRecord")
)]
pub struct Market {
    record: MarketRecord,
    mechanism: Lmsr,
}

impl TryFrom<MarketRecord> for Market {
    type Error = MarketError;

    fn try_from(record: MarketRecord) -> Result<Self, MarketError> {
        Self::restore(record)
    }
}

impl From<Market> for MarketRecord {
    fn from(market: Market) -> Self {
        market.record
    }
}

impl Market {
    /// Opens a market. The caller moves the subsidy into the pot.
    ///
    /// # Errors
    /// [`MarketError::EndsInThePast`], [`MarketError::FeeTooHigh`], and
    /// [`MarketError::Probabilities`] for a number of options outside 2 to 10, for probabilities
    /// that some options have and others lack, or that do not sum to 1 within 1e-6.
    pub fn open(opening: Opening, now: Timestamp) -> Result<Self, MarketError> {
        if opening.ends_at <= now {
            return Err(MarketError::EndsInThePast);
        }
        if opening.fee_bps > MAX_FEE_BPS {
            return Err(MarketError::FeeTooHigh { max_bps: MAX_FEE_BPS });
        }
        let initial = initial_probabilities(&opening.options)?;
        let options = opening.options.into_iter().zip(initial);
        Self::restore(MarketRecord {
            id: opening.id,
            creator_id: opening.creator_id,
            creator_account_id: opening.creator_account_id,
            ends_at: opening.ends_at,
            phase: Phase::Open,
            subsidy: opening.subsidy,
            fee_bps: opening.fee_bps,
            options: options
                .map(|((id, _), initial)| OptionState { id, initial, outstanding: Shares::ZERO })
                .collect(),
            fees: Balance::ZERO,
            volume: Balance::ZERO,
            stakes: Balance::ZERO,
            bet_count: 0,
            revision: 1,
            version: 1,
        })
    }

    /// Creates a market from its stored fields.
    ///
    /// # Errors
    /// [`MarketError::Probabilities`] if no mechanism can be made of its subsidy and probabilities.
    pub fn restore(record: MarketRecord) -> Result<Self, MarketError> {
        let initial: Vec<_> = record.options.iter().map(|option| option.initial).collect();
        let mechanism = Lmsr::new(record.subsidy, &initial).map_err(MarketError::Probabilities)?;
        Ok(Self { record, mechanism })
    }

    /// Returns the fields, for storage and for reading.
    pub const fn record(&self) -> &MarketRecord {
        &self.record
    }

    /// Returns the identifier of the market.
    pub const fn id(&self) -> MarketId {
        self.record.id
    }

    /// Returns the phase; an open market whose end date has passed is reported as closed.
    pub fn phase_at(&self, now: Timestamp) -> Phase {
        match self.record.phase {
            Phase::Open if self.record.ends_at <= now => Phase::Closed,
            phase => phase,
        }
    }

    /// Returns the probability of each option, in order.
    pub fn probabilities(&self) -> Vec<Probability> {
        self.mechanism.prices(&self.outstanding())
    }

    /// Returns the position of an option among the market's options.
    ///
    /// # Errors
    /// [`MarketError::OptionNotFound`].
    pub fn option_index(&self, id: OptionId) -> Result<usize, MarketError> {
        let mut options = self.record.options.iter();
        options.position(|option| option.id == id).ok_or(MarketError::OptionNotFound(id))
    }

    /// Returns the largest payout that any resolution could require from the pot, in minor units.
    pub fn largest_payout(&self) -> Balance {
        let owed = self.record.options.iter().map(|option| option.outstanding.units()).max();
        Balance::from_minor(owed.unwrap_or(0))
    }

    /// Returns `true` if the pot covers the largest payout and the collected fees.
    pub fn is_covered_by(&self, pot: Balance) -> bool {
        let owed = self.largest_payout().minor().checked_add(self.record.fees.minor());
        owed.is_some_and(|owed| owed <= pot.minor())
    }

    /// Ends trading before the end date.
    ///
    /// # Errors
    /// [`MarketError::NotOpen`] unless the market is open.
    pub fn close(self) -> Result<Self, MarketError> {
        match self.record.phase {
            Phase::Open => Ok(self.into_phase(Phase::Closed)),
            phase => Err(MarketError::NotOpen { phase }),
        }
    }

    /// Ends trading because the end date has passed.
    ///
    /// # Errors
    /// [`MarketError::NotOpen`] unless the market is open, [`MarketError::EndsLater`] before the
    /// end date.
    pub fn close_ended(self, now: Timestamp) -> Result<Self, MarketError> {
        if self.record.phase == Phase::Open && self.record.ends_at > now {
            return Err(MarketError::EndsLater);
        }
        self.close()
    }

    /// Resolves the market: each option pays this part of a share's value, in basis points. The
    /// settlement pays.
    ///
    /// # Errors
    /// [`MarketError::AlreadyDecided`] once resolved or cancelled, [`MarketError::Split`] unless
    /// there is one number an option and they sum to 10,000.
    pub fn resolve(self, basis_points: Vec<u16>) -> Result<(Self, SettlementTerms), MarketError> {
        self.refuse_second_decision()?;
        let terms = SettlementTerms::payouts(basis_points, self.record.options.len())?;
        Ok((self.into_phase(Phase::Resolved), terms))
    }

    /// Cancels the market; the settlement returns each trader's net stake, in full if `pot` covers
    /// all.
    ///
    /// # Errors
    /// [`MarketError::AlreadyDecided`] once resolved or cancelled.
    pub fn cancel(self, pot: Balance) -> Result<(Self, SettlementTerms), MarketError> {
        self.refuse_second_decision()?;
        let terms = SettlementTerms::Refunds { available: pot, stakes: self.record.stakes };
        Ok((self.into_phase(Phase::Cancelled), terms))
    }

    /// Resolves or cancels the market, whose pot has this balance.
    ///
    /// # Errors
    /// The errors of [`resolve`](Self::resolve) and [`cancel`](Self::cancel).
    pub fn decide(
        self,
        outcome: &MarketOutcome,
        pot: Balance,
    ) -> Result<(Self, SettlementTerms), MarketError> {
        match outcome {
            MarketOutcome::Payouts { basis_points } => self.resolve(basis_points.clone()),
            MarketOutcome::Cancellation => self.cancel(pot),
        }
    }

    /// Takes trades again after the market was closed. Without a new end date its own must be in
    /// the future.
    ///
    /// # Errors
    /// [`MarketError::NotClosed`], [`MarketError::EndsInThePast`], and
    /// [`MarketError::EndsTooLate`] without the right to a later end date.
    pub fn reopen(
        mut self,
        ends_at: Option<Timestamp>,
        right: EditRight,
        now: Timestamp,
    ) -> Result<Self, MarketError> {
        match self.phase_at(now) {
            Phase::Closed => {}
            phase => return Err(MarketError::NotClosed { phase }),
        }
        let ends_at = ends_at.unwrap_or(self.record.ends_at);
        if ends_at <= now {
            return Err(MarketError::EndsInThePast);
        }
        if let EditRight::EndDate { latest } = right
            && ends_at > latest
        {
            return Err(MarketError::EndsTooLate { latest });
        }
        if ends_at != self.record.ends_at {
            self.record.ends_at = ends_at;
            self.record.revision += 1;
        }
        Ok(self.into_phase(Phase::Open))
    }

    /// Returns to the phase before the decision, once the settlement is undone.
    ///
    /// # Errors
    /// [`MarketError::NotDecided`].
    pub fn into_undecided(self) -> Result<Self, MarketError> {
        match self.record.phase {
            Phase::Resolved | Phase::Cancelled => Ok(self.into_phase(Phase::Closed)),
            phase => Err(MarketError::NotDecided { phase }),
        }
    }

    /// Checks that the market may be deleted because nobody has bet; its pot then returns to its
    /// creator.
    ///
    /// # Errors
    /// [`MarketError::AlreadyDecided`] once resolved or cancelled, [`MarketError::HasBets`] after
    /// the first bet.
    pub fn check_deletion(&self) -> Result<(), MarketError> {
        self.refuse_second_decision()?;
        if self.record.bet_count == 0 { Ok(()) } else { Err(MarketError::HasBets) }
    }

    /// Returns the basis points that pay everything to one option.
    ///
    /// # Errors
    /// [`MarketError::OptionNotFound`].
    pub fn winner(&self, id: OptionId) -> Result<Vec<u16>, MarketError> {
        self.option_index(id)?;
        let share = |option: &OptionState| if option.id == id { WHOLE_BPS } else { 0 };
        Ok(self.record.options.iter().map(share).collect())
    }

    fn refuse_second_decision(&self) -> Result<(), MarketError> {
        match self.record.phase {
            Phase::Open | Phase::Closed => Ok(()),
            phase => Err(MarketError::AlreadyDecided { phase }),
        }
    }

    fn into_phase(mut self, phase: Phase) -> Self {
        self.record.phase = phase;
        self.record.version += 1;
        self
    }

    fn outstanding(&self) -> Vec<Shares> {
        self.record.options.iter().map(|option| option.outstanding).collect()
    }
}

fn initial_probabilities(
    options: &[(OptionId, Option<Probability>)],
) -> Result<Vec<Probability>, MarketError> {
    let given: Vec<_> = options.iter().filter_map(|(_, probability)| *probability).collect();
    if given.is_empty() {
        return lmsr::equal_probabilities(options.len()).map_err(MarketError::Probabilities);
    }
    if given.len() == options.len() { Ok(given) } else { Err(MarketError::SomeProbabilities) }
}
