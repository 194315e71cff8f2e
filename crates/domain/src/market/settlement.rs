//! Settlements: the payouts to holders of a resolved or cancelled market, in sets, and the
//! remainder.

use thiserror::Error;

use super::{Holding, MarketError, MarketOutcome, Position, WHOLE_BPS};
use crate::id::{AccountId, MarketId, UserId};
use crate::money::{Amount, Balance};
use crate::time::Timestamp;
use crate::transfer::Transfer;

/// Number of holders paid in one unit of work.
pub const HOLDERS_PER_SET: usize = 500;

/// Reason why a split is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum SplitError {
    /// The split does not have one number for each option.
    #[error("a split names each option at most once")]
    Options,
    /// The basis points do not sum to 10,000.
    #[error("the basis points of a split sum to {WHOLE_BPS}")]
    Sum,
}

/// Terms by which holders are paid.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum SettlementTerms {
    /// Each share pays this part of one unit, in basis points, one number for each option, 10,000
    /// in total.
    Payouts {
        /// One number for each option.
        basis_points: Vec<u16>,
    },
    /// Each trader gets the net stake back, or the same fraction of it if the pot cannot cover all.
    Refunds {
        /// Balance of the pot at the cancellation.
        available: Balance,
        /// Sum of all net stakes.
        stakes: Balance,
    },
}

impl SettlementTerms {
    pub(super) fn payouts(basis_points: Vec<u16>, option_count: usize) -> Result<Self, SplitError> {
        if basis_points.len() != option_count {
            return Err(SplitError::Options);
        }
        if basis_points.iter().map(|bps| u32::from(*bps)).sum::<u32>() != u32::from(WHOLE_BPS) {
            return Err(SplitError::Sum);
        }
        Ok(Self::Payouts { basis_points })
    }

    /// Returns the outcome that the terms carry out.
    pub fn outcome(&self) -> MarketOutcome {
        match self {
            Self::Payouts { basis_points } => {
                MarketOutcome::Payouts { basis_points: basis_points.clone() }
            }
            Self::Refunds { .. } => MarketOutcome::Cancellation,
        }
    }

    /// Returns the payout of a holding: its exact share rounded down to whole units. Rounding never
    /// favours a holder; the fractions of all holders stay in the pot, for the creator.
    pub fn payout(&self, holding: &Holding) -> Balance {
        self.rounded_down(self.entitlement(holding))
    }

    /// Returns the payout of a holding in one part for each option: the parts sum to
    /// [`Self::payout`]. `None` for refunds.
    pub fn payout_parts(&self, holding: &Holding) -> Option<Vec<Balance>> {
        let Self::Payouts { basis_points } = self else { return None };
        let (mut owed, mut paid) = (0_u128, Balance::ZERO);
        let part = |(position, bps): (&Position, &u16)| {
            owed += entitlement_of(position, *bps);
            let before = std::mem::replace(&mut paid, self.rounded_down(owed));
            Balance::from_minor(paid.minor().saturating_sub(before.minor()))
        };
        Some(holding.positions.iter().zip(basis_points).map(part).collect())
    }

    fn rounded_down(&self, entitlement: u128) -> Balance {
        let whole = entitlement.checked_div(self.denominator()).unwrap_or(0);
        Balance::from_minor(i64::try_from(whole).unwrap_or(i64::MAX))
    }

    /// Returns the number of entitlement units in one minor unit.
    fn denominator(&self) -> u128 {
        match self {
            Self::Payouts { .. } => u128::from(WHOLE_BPS),
            Self::Refunds { available, stakes } if available >= stakes => 1,
            Self::Refunds { stakes, .. } => magnitude(*stakes),
        }
    }

    fn entitlement(&self, holding: &Holding) -> u128 {
        match self {
            Self::Payouts { basis_points } => {
                let held = holding.positions.iter().zip(basis_points);
                held.map(|(position, bps)| entitlement_of(position, *bps)).sum()
            }
            Self::Refunds { available, stakes } => {
                let stake = u128::from(holding.net_stake().unsigned_abs());
                if available >= stakes { stake } else { stake * magnitude(*available) }
            }
        }
    }
}

/// Returns the entitlement of a position, in ten-thousandths of a minor unit.
fn entitlement_of(position: &Position, bps: u16) -> u128 {
    u128::from(position.shares.units().unsigned_abs()) * u128::from(bps)
}

fn magnitude(balance: Balance) -> u128 {
    u128::from(balance.minor().unsigned_abs())
}

/// Payout of one holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Payout {
    /// The holder's account.
    pub account_id: AccountId,
    /// Amount paid to it.
    pub amount: Amount,
}

/// Progress of a settlement. It can stop after any set and resume from its cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Settlement {
    /// The market.
    pub market_id: MarketId,
    /// Terms of payment.
    pub terms: SettlementTerms,
    /// User who resolved or cancelled the market.
    pub decided_by: UserId,
    /// Time of the resolution or cancellation.
    pub decided_at: Timestamp,
    /// The last holder that was processed; holders are processed in ascending order of account.
    pub cursor: Option<AccountId>,
    /// Number of holders paid so far.
    pub holders_paid: i64,
    /// Sum of these payments, in minor units.
    pub paid: Balance,
    /// Time after which no more holders are paid: the pot was empty, or the undoing was ordered.
    pub completed_at: Option<Timestamp>,
    /// Progress of its undoing, if that is ordered: no holder is paid any more.
    pub undo: Option<SettlementUndo>,
}

/// Progress of the undoing of a settlement, newest payment first. It can stop after any set and
/// resume from its cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SettlementUndo {
    /// Version that the last reversed payment gave the pot; the remaining ones have lower versions.
    pub cursor: i64,
    /// Money that the treasury has paid for recipients who no longer had it, in minor units.
    pub covered: Balance,
}

impl Settlement {
    /// Creates a settlement before its first payment.
    pub const fn begin(
        market_id: MarketId,
        terms: SettlementTerms,
        decided_by: UserId,
        decided_at: Timestamp,
    ) -> Self {
        Self {
            market_id,
            terms,
            decided_by,
            decided_at,
            cursor: None,
            holders_paid: 0,
            paid: Balance::ZERO,
            completed_at: None,
            undo: None,
        }
    }

    /// Returns the payouts of one set of holders. Holders who are owed nothing are left out.
    pub fn payouts(&self, set: &[Holding]) -> Vec<Payout> {
        let payout = |holding: &Holding| {
            let amount = self.terms.payout(holding).to_amount()?;
            Some(Payout { account_id: holding.account_id, amount })
        };
        set.iter().filter_map(payout).collect()
    }

    /// Records the payment of a set up to `last`.
    ///
    /// # Errors
    /// [`MarketError::TradeTooLarge`] if the sum leaves the range of 64 bits.
    pub fn record_set(&mut self, last: AccountId, payouts: &[Payout]) -> Result<(), MarketError> {
        let sum = payouts.iter().try_fold(self.paid, |sum, payout| sum.plus(payout.amount));
        self.paid = sum.ok_or(MarketError::TradeTooLarge)?;
        self.holders_paid += i64::try_from(payouts.len()).unwrap_or(i64::MAX);
        self.cursor = Some(last);
        Ok(())
    }

    /// Orders the undoing of all payments, whether or not the settlement is complete.
    ///
    /// # Errors
    /// [`MarketError::BeingUndone`] if that is ordered already.
    pub fn undo(&mut self, now: Timestamp) -> Result<(), MarketError> {
        if self.undo.is_some() {
            return Err(MarketError::BeingUndone);
        }
        self.undo = Some(SettlementUndo { cursor: i64::MAX, covered: Balance::ZERO });
        // No more holders are paid, also by a program of the version before, which does not know
        // that it is being undone.
        self.completed_at.get_or_insert(now);
        Ok(())
    }

    /// Records that a payment is back in the pot; `covered` is what the treasury had to add.
    ///
    /// # Errors
    /// [`MarketError::TradeTooLarge`] if a sum leaves the range of 64 bits.
    pub fn record_undone(
        &mut self,
        payment: &Transfer,
        covered: Option<Amount>,
    ) -> Result<(), MarketError> {
        let Some(undo) = &mut self.undo else { return Ok(()) };
        undo.cursor = payment.debit.version;
        let sum = covered.map_or(Some(undo.covered), |covered| undo.covered.plus(covered));
        undo.covered = sum.ok_or(MarketError::TradeTooLarge)?;
        if payment.kind.pays_holders() {
            self.paid = Balance::from_minor(self.paid.minor() - payment.amount.minor());
            self.holders_paid -= 1;
        }
        Ok(())
    }

    /// Records the end of the settlement.
    ///
    /// # Panics
    /// If the pot is not empty: a settlement ends only when nothing is left.
    pub fn complete(&mut self, pot: Balance, now: Timestamp) {
        assert_eq!(pot, Balance::ZERO, "a settlement ends with an empty pot");
        self.completed_at = Some(now);
    }

    /// Returns the part of the collected fees that goes to the fees account: all of them, except
    /// for a cancelled market, whose fees are part of the refunds.
    pub const fn fees_due(&self, collected: Balance) -> Option<Amount> {
        match self.terms {
            SettlementTerms::Payouts { .. } => match Amount::new(collected.minor()) {
                Ok(amount) => Some(amount),
                Err(_) => None,
            },
            SettlementTerms::Refunds { .. } => None,
        }
    }
}
