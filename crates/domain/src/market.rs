//! Markets: questions with 2 to 10 options, priced by a scoring rule and paid from a pot.

pub mod curve;
mod edit;
mod error;
mod holding;
mod listing;
pub mod lmsr;
mod replay;
mod settlement;
mod trade;

pub use edit::MarketEdit;
pub use error::{Guard, MarketError};
pub use holding::{Holding, Position};
pub use listing::{Listing, ListingError};
pub use replay::{Difference, Replay, StoredTrade};
pub use settlement::{HOLDERS_PER_SET, Payout, Settlement, SettlementTerms, SplitError};
pub use trade::{Bet, BuyOrder, Fill, Quantity, SellOrder, TradeSide};

use crate::id::{AccountId, MarketId, OptionId, UserId};
use crate::money::{Amount, Balance};
use crate::probability::Probability;
use crate::shares::Shares;
use crate::time::Timestamp;
use lmsr::{Lmsr, Mechanism as _};

/// The fewest options of a market.
pub const MIN_OPTIONS: usize = 2;
/// The most options of a market.
pub const MAX_OPTIONS: usize = 10;
/// One hundred percent, in basis points.
pub const WHOLE_BPS: u16 = 10_000;
/// The highest trading fee, in basis points.
pub const MAX_FEE_BPS: u16 = 1_000;

/// Where a market stands in its life: `Open -> Closed -> Resolved | Cancelled`, closing may be skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Phase {
    /// Takes trades until its end date.
    Open,
    /// Takes no more trades and waits for its resolution.
    Closed,
    /// Decided; its settlement pays the holders.
    Resolved,
    /// Called off; its settlement returns the stakes.
    Cancelled,
}

impl Phase {
    const ALL: [Self; 4] = [Self::Open, Self::Closed, Self::Resolved, Self::Cancelled];

    /// The name on the wire and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Resolved => "resolved",
            Self::Cancelled => "cancelled",
        }
    }

    /// The phase of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == name)
    }
}

/// One option of a market and what traders hold of it.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OptionState {
    /// Names the option.
    pub id: OptionId,
    /// Its probability when the market opened.
    pub initial: Probability,
    /// The shares of it in all hands: what the pot owes if it wins, in minor units.
    pub outstanding: Shares,
}

/// What it takes to open a market, beside its [`Listing`].
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// Names the market, and its pot.
    pub id: MarketId,
    /// Who opens it.
    pub creator_id: UserId,
    /// Where the subsidy comes from and the remainder goes.
    pub creator_account_id: AccountId,
    /// When it takes its last trade; after `now`.
    pub ends_at: Timestamp,
    /// The most that the market can lose, paid into the pot by its creator.
    pub subsidy: Amount,
    /// What each trade pays into the pot beside its price, in basis points of its money, 0 to 1,000.
    pub fee_bps: u16,
    /// The options with their initial probabilities: all or none have one, none means equal.
    pub options: Vec<(OptionId, Option<Probability>)>,
}

/// A market as storage holds it: the parts of a [`Market`], not yet checked.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MarketRecord {
    /// Names the market, and its pot.
    pub id: MarketId,
    /// Who opened it.
    pub creator_id: UserId,
    /// Where the subsidy came from and the remainder goes.
    pub creator_account_id: AccountId,
    /// When it takes its last trade.
    pub ends_at: Timestamp,
    /// Where it stands in its life.
    pub phase: Phase,
    /// The most that the market can lose.
    pub subsidy: Amount,
    /// The trading fee in basis points.
    pub fee_bps: u16,
    /// The options in their order.
    pub options: Vec<OptionState>,
    /// The fees collected, still in the pot.
    pub fees: Balance,
    /// The money of all trades, in and out.
    pub volume: Balance,
    /// The sum of all traders' net stakes, each at least zero: what a cancellation would return.
    pub stakes: Balance,
    /// How many bets and sales there were.
    pub bet_count: i64,
    /// How often the market has changed, its opening included.
    pub version: i64,
}

/// A market: its options, what is outstanding and the mechanism that prices it.
#[derive(Debug, Clone, PartialEq)]
pub struct Market {
    record: MarketRecord,
    mechanism: Lmsr,
}

impl Market {
    /// Opens a market. The caller moves the subsidy into the pot.
    ///
    /// # Errors
    /// [`MarketError::EndsInThePast`], [`MarketError::FeeTooHigh`], and [`MarketError::Probabilities`] for a
    /// number of options outside 2 to 10, for probabilities that some options have and others lack, or that
    /// do not sum to 1 within 1e-6.
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
            version: 1,
        })
    }

    /// The market that storage holds.
    ///
    /// # Errors
    /// [`MarketError::Probabilities`] if no mechanism can be made of its subsidy and probabilities.
    pub fn restore(record: MarketRecord) -> Result<Self, MarketError> {
        let initial: Vec<_> = record.options.iter().map(|option| option.initial).collect();
        let mechanism = Lmsr::new(record.subsidy, &initial).map_err(MarketError::Probabilities)?;
        Ok(Self { record, mechanism })
    }

    /// The parts, for storage and for reading.
    pub const fn record(&self) -> &MarketRecord {
        &self.record
    }

    /// Names the market.
    pub const fn id(&self) -> MarketId {
        self.record.id
    }

    /// Where the market stands; an open market whose end date has passed shows as closed.
    pub fn phase_at(&self, now: Timestamp) -> Phase {
        match self.record.phase {
            Phase::Open if self.record.ends_at <= now => Phase::Closed,
            phase => phase,
        }
    }

    /// The probability of each option, in order.
    pub fn probabilities(&self) -> Vec<Probability> {
        self.mechanism.prices(&self.outstanding())
    }

    /// The position of an option among the market's options.
    ///
    /// # Errors
    /// [`MarketError::OptionNotFound`].
    pub fn option_index(&self, id: OptionId) -> Result<usize, MarketError> {
        let mut options = self.record.options.iter();
        options.position(|option| option.id == id).ok_or(MarketError::OptionNotFound(id))
    }

    /// The largest payout that any resolution could ask of the pot, in minor units.
    pub fn largest_payout(&self) -> Balance {
        let owed = self.record.options.iter().map(|option| option.outstanding.units()).max();
        Balance::from_minor(owed.unwrap_or(0))
    }

    /// Whether the pot covers the largest payout and the fees it keeps for later.
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

    /// Ends trading because the end date has come.
    ///
    /// # Errors
    /// [`MarketError::NotOpen`] unless the market is open, [`MarketError::EndsLater`] before the end date.
    pub fn close_ended(self, now: Timestamp) -> Result<Self, MarketError> {
        if self.record.phase == Phase::Open && self.record.ends_at > now {
            return Err(MarketError::EndsLater);
        }
        self.close()
    }

    /// Decides the market by how much of its stake each option pays, in basis points; the settlement pays.
    ///
    /// # Errors
    /// [`MarketError::AlreadyDecided`] once resolved or cancelled, [`MarketError::Split`] unless there is one
    /// number an option and they sum to 10,000.
    pub fn resolve(self, basis_points: Vec<u16>) -> Result<(Self, SettlementTerms), MarketError> {
        self.refuse_second_decision()?;
        let terms = SettlementTerms::payouts(basis_points, self.record.options.len())?;
        Ok((self.into_phase(Phase::Resolved), terms))
    }

    /// Calls the market off; the settlement returns each trader's net stake, in full where `pot` covers all.
    ///
    /// # Errors
    /// [`MarketError::AlreadyDecided`] once resolved or cancelled.
    pub fn cancel(self, pot: Balance) -> Result<(Self, SettlementTerms), MarketError> {
        self.refuse_second_decision()?;
        let terms = SettlementTerms::Refunds { available: pot, stakes: self.record.stakes };
        Ok((self.into_phase(Phase::Cancelled), terms))
    }

    /// Lets a market be deleted that never came to anything: its pot then goes back to its creator.
    ///
    /// # Errors
    /// [`MarketError::AlreadyDecided`] once resolved or cancelled, [`MarketError::HasBets`] once somebody has bet.
    pub fn check_deletion(&self) -> Result<(), MarketError> {
        self.refuse_second_decision()?;
        if self.record.bet_count == 0 { Ok(()) } else { Err(MarketError::HasBets) }
    }

    /// The basis points that give everything to one option.
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
