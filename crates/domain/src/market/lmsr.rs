//! The logarithmic market scoring rule in whole units: what a market charges and pays, rounded in
//! its favour.
//!
//! The formulas are in [`crate::market::curve`]; here their results become integers. A buyer's cost
//! is rounded up, shares and proceeds are rounded down, so the market never loses a fraction. Real
//! numbers carry errors of their own, so each is first moved in the same direction by a bound of
//! its error (`Lmsr::slack`): the rounding never favours the trader, whatever the last bits are.
//!
//! Consequences, which are tested: buying and selling back never profits, a purchase in pieces
//! never buys more than the curve gives for the whole, and subsidy and payments together always
//! cover the largest payout.

use thiserror::Error;

use super::curve::{Curve, Price};
use super::{MAX_OPTIONS, MIN_OPTIONS};
use crate::money::Amount;
use crate::probability::Probability;
use crate::shares::Shares;

/// Maximum subsidy, order and number of outstanding shares of an option: 10^15 units.
///
/// Below 2^53, so each such number and each difference of two is exact as an `f64`.
pub const MAX_UNITS: i64 = 1_000_000_000_000_000;

/// Minimum initial probability of an option; the maximum is 1 less this.
pub const MIN_INITIAL_PROBABILITY: f64 = 1e-12;

/// Maximum distance of the sum of initial probabilities from 1. They are then divided by their sum.
pub const INITIAL_SUM_TOLERANCE: f64 = 1e-6;

/// 2^-48: relative reduction of b; the error of computing it is below 2^-49.
const LIQUIDITY_MARGIN: f64 = 1.0 / 281_474_976_710_656.0;

/// 2^-50: four times the maximum relative error of one elementary function.
const ERROR_UNIT: f64 = 1.0 / 1_125_899_906_842_624.0;

/// Pricing rule of a market: pure functions of the shares outstanding, one number for each option.
///
/// Each method returns `None` if `outstanding` does not have one number for each option, if the
/// option is unknown, or if an input or result is out of the mechanism's range. An implementation
/// rounds every amount in the market's favour, so that the subsidy and all payments, less all
/// proceeds, always cover the most shares outstanding of one option.
pub trait Mechanism {
    /// Returns the prices of all options in order; they sum to 1 up to the last bits.
    ///
    /// Empty if `outstanding` does not have one number in range for each option.
    fn prices(&self, outstanding: &[Shares]) -> Vec<Probability>;

    /// Returns the shares of `option` that `spend` buys, rounded down: at least one for each minor
    /// unit.
    fn shares_for(&self, outstanding: &[Shares], option: usize, spend: Amount) -> Option<Shares>;

    /// Returns the cost of `shares` of `option`, rounded up: at most one minor unit each. `None`
    /// also for no shares.
    fn cost_of(&self, outstanding: &[Shares], option: usize, shares: Shares) -> Option<Amount>;

    /// Returns the proceeds of selling `shares` of `option`, rounded down: at most one minor unit
    /// each.
    ///
    /// `None` also for more shares than are outstanding, and if the proceeds round to zero.
    fn proceeds_of(&self, outstanding: &[Shares], option: usize, shares: Shares) -> Option<Amount>;

    /// Returns the maximum loss of the market whatever is traded, which is its initial subsidy.
    fn worst_case_loss(&self) -> Amount;
}

/// Reason why a market cannot start with these probabilities or this subsidy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum LmsrError {
    /// An initial probability is below 1e-12 or above 1 - 1e-12.
    #[error("an initial probability is at least 1e-12 and at most 1 - 1e-12")]
    Extreme {
        /// The first such option, counted from 0.
        option: usize,
    },
    /// Fewer than 2 or more than 10 options.
    #[error("a market has {MIN_OPTIONS} to {MAX_OPTIONS} options")]
    OptionCount,
    /// The initial probabilities do not sum to 1 within 1e-6.
    #[error("the initial probabilities do not sum to 1")]
    Sum,
    /// The subsidy is above [`MAX_UNITS`].
    #[error("the subsidy is above {MAX_UNITS} minor units")]
    SubsidyTooLarge,
}

/// Returns the same probability for each of `options` options.
///
/// # Errors
/// [`LmsrError::OptionCount`] unless there are 2 to 10.
pub fn equal_probabilities(options: usize) -> Result<Vec<Probability>, LmsrError> {
    let allowed = Some(options).filter(|options| (MIN_OPTIONS..=MAX_OPTIONS).contains(options));
    let count =
        allowed.and_then(|options| u8::try_from(options).ok()).ok_or(LmsrError::OptionCount)?;
    Ok(vec![probability(1.0 / f64::from(count)); options])
}

/// Pricing rule of one market: its liquidity and its initial prices. The outstanding shares are an
/// argument.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lmsr {
    subsidy: Amount,
    curve: Curve,
}

impl Lmsr {
    /// Creates the rule for a market that starts at these probabilities and can lose `subsidy`.
    ///
    /// `b = subsidy / max_i(-ln p_i)`, less a margin for the errors of computing it, so that the
    /// market never loses more. The probabilities are divided by their sum first.
    ///
    /// # Errors
    /// [`LmsrError::Extreme`], [`LmsrError::OptionCount`], [`LmsrError::Sum`] and
    /// [`LmsrError::SubsidyTooLarge`], the first that applies.
    pub fn new(subsidy: Amount, initial: &[Probability]) -> Result<Self, LmsrError> {
        let allowed = MIN_INITIAL_PROBABILITY..=1.0 - MIN_INITIAL_PROBABILITY;
        let is_extreme = |probability: &Probability| !allowed.contains(&probability.get());
        if let Some(option) = initial.iter().position(is_extreme) {
            return Err(LmsrError::Extreme { option });
        }
        let sum: f64 = initial.iter().map(|probability| probability.get()).sum();
        let normalised: Vec<f64> =
            initial.iter().map(|probability| probability.get() / sum).collect();
        let loss = to_real(subsidy.minor()) * (1.0 - LIQUIDITY_MARGIN);
        // Within the allowed range a curve can reject only the number of options.
        let curve = Curve::new(loss, &normalised).ok_or(LmsrError::OptionCount)?;
        if (sum - 1.0).abs() > INITIAL_SUM_TOLERANCE {
            return Err(LmsrError::Sum);
        }
        if subsidy.minor() > MAX_UNITS {
            return Err(LmsrError::SubsidyTooLarge);
        }
        Ok(Self { subsidy, curve })
    }

    /// Creates the rule for a market of this many equally probable options that can lose `subsidy`.
    ///
    /// # Errors
    /// [`LmsrError::OptionCount`] unless there are 2 to 10, [`LmsrError::SubsidyTooLarge`].
    pub fn uniform(subsidy: Amount, options: usize) -> Result<Self, LmsrError> {
        Self::new(subsidy, &equal_probabilities(options)?)
    }

    /// Returns the curve before rounding, for uses such as charts.
    pub const fn curve(&self) -> &Curve {
        &self.curve
    }

    fn price(&self, outstanding: &[Shares], option: usize) -> Option<Price> {
        let quantities = Quantities::new(outstanding)?;
        self.curve.price(quantities.as_slice(), option)
    }

    /// Returns a bound of the relative error of `amount`, computed from prices whose logarithms sum
    /// to `-distance`: `2^-50 (64 + distance / max(1, amount / b))`.
    ///
    /// A logit `(q_i - q_j) / b + (ln w_i - ln w_j)` adds two numbers of a size up to `distance +
    /// 60`, since no ln w is below ln 1e-12 = -27.7, each rounded by 2^-53 of itself. An
    /// exponential turns that absolute error into a relative one of the price. The sum over ten
    /// options and a dozen elementary functions, each accurate to 2^-52, add less than 30 of these.
    /// The total is below `2^-52 (distance + 100)` of the argument y of the last `ln(1 + y)`, which
    /// is `amount / b`. A relative error of y is at most the same relative one of the amount, and
    /// at most the same absolute one of `amount / b`: hence the divisor. The bound is more than
    /// twice as large as this, and a test compares it with exact values.
    fn slack(&self, amount: f64, distance: f64) -> f64 {
        ERROR_UNIT * (64.0 + distance / (amount / self.curve.b()).max(1.0))
    }
}

impl Mechanism for Lmsr {
    fn prices(&self, outstanding: &[Shares]) -> Vec<Probability> {
        let quantities = Quantities::new(outstanding);
        let prices = quantities.and_then(|quantities| self.curve.prices(quantities.as_slice()));
        prices.into_iter().flatten().map(probability).collect()
    }

    fn shares_for(&self, outstanding: &[Shares], option: usize, spend: Amount) -> Option<Shares> {
        let price = self.price(outstanding, option)?;
        let spend = Some(spend.minor()).filter(|spend| *spend <= MAX_UNITS)?;
        // A price is at most 1, so each unit of the spend buys one share exactly; only the bonus is
        // inexact.
        let bonus = price.bonus_for_spend(to_real(spend));
        let bonus = lowered(bonus, self.slack(bonus, -price.ln_p() - price.ln_complement()));
        let shares = Shares::new(spend + to_units(bonus.floor())?).ok()?;
        let held = outstanding.get(option)?.plus(shares)?;
        (held.units() <= MAX_UNITS).then_some(shares)
    }

    fn cost_of(&self, outstanding: &[Shares], option: usize, shares: Shares) -> Option<Amount> {
        let price = self.price(outstanding, option)?;
        let held = outstanding.get(option)?.plus(shares)?;
        if held.units() > MAX_UNITS {
            return None;
        }
        let cost = price.cost_of_shares(to_real(shares.units()));
        let cost = cost * (1.0 + self.slack(cost, -price.ln_p()));
        let cost = to_units(cost.ceil()).unwrap_or(MAX_UNITS).max(1);
        Amount::new(cost.min(shares.units())).ok()
    }

    fn proceeds_of(&self, outstanding: &[Shares], option: usize, shares: Shares) -> Option<Amount> {
        let price = self.price(outstanding, option)?;
        outstanding.get(option)?.minus(shares)?;
        let proceeds = price.proceeds_of_shares(to_real(shares.units()));
        let proceeds = lowered(proceeds, self.slack(proceeds, -price.ln_p()));
        Amount::new(to_units(proceeds.floor())?).ok()
    }

    fn worst_case_loss(&self) -> Amount {
        self.subsidy
    }
}

/// Outstanding shares as real numbers, without heap allocation: each order needs them several
/// times.
struct Quantities {
    values: [f64; MAX_OPTIONS],
    options: usize,
}

impl Quantities {
    /// Returns `None` for more than 10 options and for shares above [`MAX_UNITS`].
    fn new(outstanding: &[Shares]) -> Option<Self> {
        let mut values = [0.0; MAX_OPTIONS];
        let options = outstanding.len();
        for (value, shares) in values.get_mut(..options)?.iter_mut().zip(outstanding) {
            *value = to_real(Some(shares.units()).filter(|units| *units <= MAX_UNITS)?);
        }
        Some(Self { values, options })
    }

    fn as_slice(&self) -> &[f64] {
        self.values.get(..self.options).unwrap_or_default()
    }
}

/// Returns the number reduced by the fraction `slack` of itself, never below zero.
fn lowered(number: f64, slack: f64) -> f64 {
    number * (1.0 - slack).max(0.0)
}

/// Converts a price to a probability; a softmax lies between 0 and 1, so the clamp changes none.
fn probability(price: f64) -> Probability {
    Probability::new(price.clamp(0.0, 1.0)).unwrap_or_default()
}

/// Converts units to a real number.
#[expect(
    clippy::cast_precision_loss,
    reason = "callers keep units within MAX_UNITS, which is below 2^53"
)]
const fn to_real(units: i64) -> f64 {
    units as f64
}

/// Converts a real number without a fraction to units; `None` below 0, above [`MAX_UNITS`] and for
/// NaN.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the number has no fraction and lies between 0 and MAX_UNITS"
)]
fn to_units(real: f64) -> Option<i64> {
    (0.0..=to_real(MAX_UNITS)).contains(&real).then_some(real as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(minor: i64) -> Amount {
        Amount::new(minor).unwrap()
    }

    fn shares(units: i64) -> Shares {
        Shares::new(units).unwrap()
    }

    fn lmsr(subsidy: i64, initial: &[f64]) -> Result<Lmsr, LmsrError> {
        let initial: Vec<_> = initial.iter().map(|p| Probability::new(*p).unwrap()).collect();
        Lmsr::new(amount(subsidy), &initial)
    }

    #[test]
    fn unusable_initial_probabilities_are_rejected() {
        let check = |initial: &[f64], expected| assert_eq!(lmsr(100, initial), Err(expected));
        check(&[], LmsrError::OptionCount);
        check(&[0.5], LmsrError::OptionCount);
        check(&[1.0 / 11.0; 11], LmsrError::OptionCount);
        check(&[0.5, 0.5, 0.0], LmsrError::Extreme { option: 2 });
        check(&[0.9e-12, 1.0 - 0.9e-12], LmsrError::Extreme { option: 0 });
        check(&[0.5, 0.500_001_1], LmsrError::Sum);
        check(&[0.5, 0.499_998_9], LmsrError::Sum);
        assert_eq!(lmsr(MAX_UNITS + 1, &[0.5, 0.5]), Err(LmsrError::SubsidyTooLarge));
        assert_eq!(equal_probabilities(1), Err(LmsrError::OptionCount));
        assert_eq!(Lmsr::uniform(amount(1), 11), Err(LmsrError::OptionCount));
    }

    #[test]
    fn initial_probabilities_at_limits_are_normalised() {
        for initial in [&[1e-12, 1.0 - 1e-12][..], &[0.5, 0.500_000_9], &[0.1; 10]] {
            let rule = lmsr(MAX_UNITS, initial).unwrap();
            let prices = rule.prices(&vec![Shares::ZERO; initial.len()]);
            let sum: f64 = prices.iter().map(|price| price.get()).sum();
            assert!((sum - 1.0).abs() < 1e-15, "{prices:?}");
            for (price, initial) in prices.iter().zip(initial) {
                assert!((price.get() / initial - 1.0).abs() < 1e-6, "{prices:?}");
            }
        }
    }

    #[test]
    fn every_rounding_favours_the_market() {
        // b = 100 / ln 2 = 144.27: 10 units buy 19.66 shares; 10 shares cost 5.087; 10 of 20 sold
        // bring 5.43.
        let rule = Lmsr::uniform(amount(100), 2).unwrap();
        let nothing = [Shares::ZERO; 2];
        assert_eq!(rule.shares_for(&nothing, 0, amount(10)), Some(shares(19)));
        assert_eq!(rule.cost_of(&nothing, 0, shares(10)), Some(amount(6)));
        assert_eq!(rule.proceeds_of(&[shares(20), Shares::ZERO], 0, shares(10)), Some(amount(5)));
        assert_eq!(rule.cost_of(&nothing, 0, shares(1)), Some(amount(1)));
        assert_eq!(rule.proceeds_of(&[shares(1), Shares::ZERO], 0, shares(1)), None, "half a unit");
    }

    #[test]
    fn last_bit_never_rounds_in_traders_favour() {
        // The exact values are next to a whole number, which the plain `f64` results reach or
        // cross.
        let rule = |subsidy, options| Lmsr::uniform(amount(subsidy), options).unwrap();
        let held = [0, 294_943_937_890, 10_468_910].map(shares);
        let bought = rule(114_449, 3).shares_for(&held, 0, amount(16_399_895));
        assert_eq!(
            bought,
            Some(shares(294_960_337_784)),
            "exactly ...784.999,999,999 and 62 more nines"
        );
        let held = [0, 84_627_297_132, 84_627_297_132, 0].map(shares);
        let bought = rule(4, 4).shares_for(&held, 0, amount(13_838_383_873_094));
        assert_eq!(
            bought,
            Some(shares(13_923_011_170_227)),
            "exactly ...227.999,999,999,999,999,992"
        );
        let cost = rule(20_499_989, 4).cost_of(&[Shares::ZERO; 4], 3, shares(192_951_540_078));
        assert_eq!(cost, Some(amount(192_931_040_090)), "exactly ...089.000,000,074");
        let held = [18_430_316_111, 0].map(shares);
        let proceeds = rule(54_390_251, 2).proceeds_of(&held, 0, shares(128_996));
        assert_eq!(
            proceeds,
            Some(amount(128_995)),
            "exactly 128,995.999,999,999 and 90 more nines"
        );
    }

    #[test]
    fn prices_near_zero_and_one_still_trade() {
        let rule = lmsr(1_000_000, &[1e-12, 1.0 - 1e-12]).unwrap();
        let nothing = [Shares::ZERO; 2];
        // b = 36,191: one unit lifts 1e-12 to 2.8e-5, and so buys b ln(2.8e7) = 620,116 shares.
        assert_eq!(rule.shares_for(&nothing, 0, amount(1)), Some(shares(620_116)));
        assert_eq!(rule.cost_of(&nothing, 0, shares(500_000)), Some(amount(1)));
        assert_eq!(rule.shares_for(&nothing, 1, amount(1_000)), Some(shares(1_000)));
        assert_eq!(rule.cost_of(&nothing, 1, shares(1_000)), Some(amount(1_000)));
        let sold_out = [Shares::ZERO, shares(MAX_UNITS)];
        assert_eq!(rule.proceeds_of(&sold_out, 1, shares(1_000_000)), Some(amount(999_999)));
        assert!(rule.prices(&sold_out).iter().all(|price| (0.0..=1.0).contains(&price.get())));
    }

    #[test]
    fn all_units_are_exact_as_real_numbers() {
        for units in [0, 1, MAX_UNITS - 1, MAX_UNITS] {
            assert_eq!(to_units(to_real(units)), Some(units));
        }
        for real in [-1.0, to_real(MAX_UNITS) + 1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(to_units(real), None, "{real}");
        }
    }
}
