//! The logarithmic market scoring rule on real numbers: prices and trades in forms that keep their
//! digits.
//!
//! Robin Hanson's rule ("Logarithmic Market Scoring Rules for Modular Combinatorial Information
//! Aggregation", 2007) prices option i by its part in `C(q) = b ln sum_i w_i e^(q_i / b)`: with
//! `z_i = q_i / b + ln w_i` the price is `p_i = e^(z_i) / sum_j e^(z_j)`. All else follows from
//! that, written so that nothing overflows and no difference of nearly equal numbers decides a
//! digit: the relative error is a few times 2^-53 times (1 + |ln p|), for prices from far below
//! 1e-300 up to 1 - 1e-300.
//!
//! Shares, spends, proceeds and b share one unit, which may be any. Arguments are finite, and
//! quantities traded are not negative. Nothing here rounds to whole units: [`crate::market::lmsr`]
//! does. Only `libm` computes exponentials and logarithms, so that every machine and every build
//! computes the same bits.

use libm::{exp, expm1, log, log1p};

use super::{MAX_OPTIONS, MIN_OPTIONS};

/// A price below this is computed from its logarithm, since its own digits run out.
const TINY: f64 = 1e-290;

/// Number of times b above which `e^(s / b)` is no longer computed on its own: it overflows at 709.
const LONG: f64 = 500.0;

/// The cost function of one market: its liquidity b and the logarithms of its initial weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curve {
    b: f64,
    ln_weights: [f64; MAX_OPTIONS],
    options: usize,
}

impl Curve {
    /// Returns the curve that starts at these probabilities and can lose at most `worst_case_loss`:
    /// `b = worst_case_loss / max_i(-ln p_i)`.
    ///
    /// The probabilities are taken as they are; for the bound to hold they must sum to 1. `None`
    /// unless there are 2 to 10 of them, each between 0 and 1 exclusive, and the loss is above
    /// zero.
    pub fn new(worst_case_loss: f64, initial: &[f64]) -> Option<Self> {
        let least = initial.iter().copied().fold(1.0, f64::min);
        Self::with_liquidity(worst_case_loss / -log(least), initial)
    }

    /// Returns the curve with this b and these initial weights, of which only the ratios move
    /// prices.
    ///
    /// With every weight 1, [`Curve::cost`] is the textbook `b ln sum_i e^(q_i / b)`. `None` unless
    /// there are 2 to 10 weights, and they and b are above zero and finite.
    pub fn with_liquidity(b: f64, weights: &[f64]) -> Option<Self> {
        let is_usable = |value: f64| value > 0.0 && value.is_finite();
        if !(MIN_OPTIONS..=MAX_OPTIONS).contains(&weights.len())
            || !is_usable(b)
            || !weights.iter().copied().all(is_usable)
        {
            return None;
        }
        let mut ln_weights = [0.0; MAX_OPTIONS];
        for (slot, weight) in ln_weights.iter_mut().zip(weights) {
            *slot = log(*weight);
        }
        Some(Self { b, ln_weights, options: weights.len() })
    }

    /// Returns the liquidity b, in the unit of shares, above zero: the larger it is, the less a
    /// trade moves prices.
    pub const fn b(&self) -> f64 {
        self.b
    }

    /// Returns the number of options, 2 to 10.
    pub const fn options(&self) -> usize {
        self.options
    }

    /// Computes `C(q) = b ln sum_i w_i e^(q_i / b)`: moving from one state to another costs the
    /// difference.
    ///
    /// For a trade use [`Price`] instead, since that difference loses digits. `None` unless `q` has
    /// one finite quantity for each option.
    pub fn cost(&self, q: &[f64]) -> Option<f64> {
        let softmax = self.softmax(q)?;
        Some(softmax.top_q + self.b * (softmax.top_ln_weight + softmax.ln_total()))
    }

    /// Returns the price of `option` where `q` shares are outstanding: its softmax among all
    /// options.
    ///
    /// `None` for an unknown option, or unless `q` has one finite quantity for each option.
    pub fn price(&self, q: &[f64], option: usize) -> Option<Price> {
        self.softmax(q)?.price(self.b, option)
    }

    /// Returns the prices of all options where `q` shares are outstanding, each from 0 to 1, in the
    /// options' order.
    ///
    /// They are the [`Price::p`] of [`Curve::price`] to the bit. `None` unless `q` has one finite
    /// quantity for each option.
    pub fn prices(&self, q: &[f64]) -> Option<impl Iterator<Item = f64> + use<>> {
        let softmax = self.softmax(q)?;
        let total = softmax.total();
        let exponentials = softmax.exponentials.into_iter().take(softmax.options);
        Some(exponentials.map(move |exponential| exponential / total))
    }

    /// Computes the softmax of all options. Shares are subtracted before they are divided:
    /// differences of whole numbers are exact, while a large quotient would hide the small
    /// differences that decide a price.
    fn softmax(&self, q: &[f64]) -> Option<Softmax> {
        if q.len() != self.options || !q.iter().all(|quantity| quantity.is_finite()) {
            return None;
        }
        let most = q.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let logit = |(q, ln_weight): (&f64, &f64)| (q - most) / self.b + ln_weight;
        let (top, (&top_q, &top_ln_weight)) = q
            .iter()
            .zip(&self.ln_weights)
            .enumerate()
            .max_by(|left, right| logit(left.1).total_cmp(&logit(right.1)))?;
        let mut logits = [f64::NEG_INFINITY; MAX_OPTIONS];
        let mut exponentials = [0.0; MAX_OPTIONS];
        let slots = logits.iter_mut().zip(&mut exponentials);
        for ((slot, exponential), (q, ln_weight)) in slots.zip(q.iter().zip(&self.ln_weights)) {
            *slot = (q - top_q) / self.b + (ln_weight - top_ln_weight);
            *exponential = exp(*slot);
        }
        Some(Softmax { logits, exponentials, options: self.options, top, top_q, top_ln_weight })
    }
}

/// The logits of all options relative to the largest, and their exponentials: none overflows, and
/// the largest is 1. Slots beyond the options hold minus infinity and zero.
struct Softmax {
    logits: [f64; MAX_OPTIONS],
    exponentials: [f64; MAX_OPTIONS],
    options: usize,
    top: usize,
    top_q: f64,
    top_ln_weight: f64,
}

impl Softmax {
    fn total(&self) -> f64 {
        self.exponentials.iter().sum()
    }

    /// Returns the sum of all exponentials but one, computed without subtraction so that it keeps
    /// its digits.
    fn total_without(&self, option: usize) -> f64 {
        let others = self.exponentials.iter().enumerate();
        others.filter(|(other, _)| *other != option).map(|(_, exponential)| exponential).sum()
    }

    /// Returns the logarithm of [`Softmax::total`], computed from the sum without the largest
    /// exponential's 1.
    fn ln_total(&self) -> f64 {
        log1p(self.total_without(self.top))
    }

    /// Returns the logarithm of [`Softmax::total_without`], even where all of its exponentials have
    /// underflowed.
    fn ln_total_without(&self, option: usize) -> f64 {
        let others = || {
            let logits = self.logits.iter().enumerate();
            logits.filter(move |(other, _)| *other != option).map(|(_, logit)| *logit)
        };
        let largest = others().fold(f64::NEG_INFINITY, f64::max);
        largest + log(others().map(|logit| exp(logit - largest)).sum())
    }

    fn price(&self, b: f64, option: usize) -> Option<Price> {
        let logit = *self.logits.get(..self.options)?.get(option)?;
        let total = self.total();
        let p = self.exponentials.get(option)? / total;
        let complement = self.total_without(option) / total;
        let ln_total = self.ln_total();
        let ln_complement =
            if p <= 0.5 { log1p(-p) } else { self.ln_total_without(option) - ln_total };
        Some(Price { b, p, complement, ln_p: logit - ln_total, ln_complement })
    }
}

/// The price of one option, its complement, and both logarithms, each with its own digits.
///
/// The complement is the sum of the other options' prices, never `1 - p`: at p = 1 - 1e-12 it has
/// 16 digits and not 4. The logarithms stay finite and right where p or the complement have
/// underflowed to zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    b: f64,
    p: f64,
    complement: f64,
    ln_p: f64,
    ln_complement: f64,
}

impl Price {
    /// Returns the price with this logarithm, on a curve with this b: `p = e^(ln_p)`.
    ///
    /// Both are finite, b above zero and `ln_p` below.
    pub fn from_ln(ln_p: f64, b: f64) -> Self {
        let complement = -expm1(ln_p);
        let p = exp(ln_p);
        Self {
            b,
            p,
            complement,
            ln_p,
            ln_complement: if p < 0.5 { log1p(-p) } else { log(complement) },
        }
    }

    /// Returns the price, 0 to 1.
    pub const fn p(&self) -> f64 {
        self.p
    }

    /// Returns the sum of the other options' prices, 0 to 1.
    pub const fn complement(&self) -> f64 {
        self.complement
    }

    /// Returns the natural logarithm of the price, at most 0.
    pub const fn ln_p(&self) -> f64 {
        self.ln_p
    }

    /// Returns the natural logarithm of the complement, at most 0.
    pub const fn ln_complement(&self) -> f64 {
        self.ln_complement
    }

    /// Returns the reserve of this option, `-b ln p`: the difference between the pot and its
    /// shares, in a market whose options all began equal.
    pub fn reserve(&self) -> f64 {
        -self.b * self.ln_p
    }

    /// Returns the shares that `spend` buys, `b ln(1 + expm1(x / b) / p)`: never fewer than
    /// `spend`.
    pub fn shares_for_spend(&self, spend: f64) -> f64 {
        spend + self.bonus_for_spend(spend)
    }

    /// Returns the shares that `spend` buys beyond one for each unit: `b ln(1 + (1 - p) / p (1 -
    /// e^(-x / b)))`.
    ///
    /// This is [`Price::shares_for_spend`] with `e^(x / b)` taken out of its logarithm: all terms
    /// are above zero and none overflows.
    pub fn bonus_for_spend(&self, spend: f64) -> f64 {
        self.b * self.ln_growth(spend)
    }

    /// Returns the cost of `shares`, `b ln(1 + p expm1(s / b))`: at most `shares`, except for the
    /// last bits.
    pub fn cost_of_shares(&self, shares: f64) -> f64 {
        let length = shares / self.b;
        if length > LONG {
            return self.b * ln_of_sum(self.ln_p + length, self.ln_complement);
        }
        let growth = if self.p > TINY {
            self.p * expm1(length)
        } else {
            exp(self.ln_p + log(expm1(length)))
        };
        self.b * log1p(growth)
    }

    /// Returns the proceeds of selling `shares`, `-b ln(1 + p expm1(-s / b))`: at most `shares`,
    /// except for the last bits.
    pub fn proceeds_of_shares(&self, shares: f64) -> f64 {
        let length = shares / self.b;
        let drop = -self.p * expm1(-length);
        if drop <= 0.5 {
            -self.b * log1p(-drop)
        } else {
            -self.b * ln_of_sum(self.ln_complement, self.ln_p - length)
        }
    }

    /// Returns the price after `spend` has bought shares of this option, `1 - (1 - p) e^(-x / b)`.
    #[must_use]
    pub fn after_spend(&self, spend: f64) -> Self {
        let length = spend / self.b;
        let complement = self.complement * exp(-length);
        let (p, ln_p) = if complement < 0.5 {
            (1.0 - complement, log1p(-complement))
        } else {
            let rise = -self.complement * expm1(-length);
            (self.p + rise, self.ln_p + self.ln_growth(spend))
        };
        Self { b: self.b, p, complement, ln_p, ln_complement: self.ln_complement - length }
    }

    /// Returns the spend that moves the price up to `target`, `b ln((1 - p) / (1 - target))`;
    /// negative if the target is below this price, which only a sale reaches.
    pub fn spend_to_reach(&self, target: &Self) -> f64 {
        self.b * self.ln_complement_ratio(target)
    }

    /// Returns the shares whose sale moves the price down to `target`, `b ln((1 / target - 1) / (1
    /// / p - 1))`; negative if the target is above this price, which only a purchase reaches.
    pub fn shares_to_sell_to_reach(&self, target: &Self) -> f64 {
        self.b * (target.ln_complement_ratio(self) + self.ln_p_ratio(target))
    }

    /// Computes `ln(p_after / p)` for a spend on this option.
    fn ln_growth(&self, spend: f64) -> f64 {
        let rise = -expm1(-spend / self.b);
        if self.p > TINY {
            log1p(self.complement / self.p * rise)
        } else {
            ln_of_sum(0.0, self.ln_complement - self.ln_p + log(rise))
        }
    }

    /// Computes `ln(p / p of other)`.
    fn ln_p_ratio(&self, other: &Self) -> f64 {
        ln_of_ratio(self.minus(other), other.p).unwrap_or(self.ln_p - other.ln_p)
    }

    /// Computes `ln((1 - p) / (1 - p of other))`.
    fn ln_complement_ratio(&self, other: &Self) -> f64 {
        ln_of_ratio(other.minus(self), other.complement)
            .unwrap_or(self.ln_complement - other.ln_complement)
    }

    /// Returns the difference of two prices, computed from the side that keeps its digits.
    fn minus(&self, other: &Self) -> f64 {
        if self.complement < self.p { other.complement - self.complement } else { self.p - other.p }
    }
}

/// Computes `ln(e^x + e^y)` without overflow or underflow.
fn ln_of_sum(x: f64, y: f64) -> f64 {
    x.max(y) + log1p(exp(-(x - y).abs()))
}

/// Computes `ln(1 + difference / base)` where the two numbers are near each other, since there the
/// difference of their logarithms would lose digits; `None` elsewhere.
fn ln_of_ratio(difference: f64, base: f64) -> Option<f64> {
    (difference.abs() < 0.5 * base).then(|| log1p(difference / base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unusable_curves_are_rejected() {
        for weights in [&[][..], &[0.5], &[0.1; 11], &[0.5, 0.0], &[0.5, -0.5], &[0.5, f64::NAN]] {
            assert_eq!(Curve::with_liquidity(10.0, weights), None, "{weights:?}");
        }
        for b in [0.0, -1.0, f64::INFINITY, f64::NAN] {
            assert_eq!(Curve::with_liquidity(b, &[0.5, 0.5]), None, "{b}");
        }
        for initial in [&[1.0, 1.0][..], &[0.5, 0.0]] {
            assert_eq!(Curve::new(10.0, initial), None, "{initial:?}");
        }
        assert_eq!(Curve::new(0.0, &[0.5, 0.5]), None);
    }

    #[test]
    fn quantities_of_other_markets_are_rejected() {
        let curve = Curve::new(10.0, &[0.5, 0.3, 0.2]).unwrap();
        assert!(curve.price(&[0.0; 3], 2).is_some());
        assert!(curve.price(&[0.0; 3], 3).is_none());
        for quantities in [&[][..], &[0.0; 2], &[0.0; 4], &[0.0, 0.0, f64::NAN]] {
            assert!(curve.price(quantities, 0).is_none(), "{quantities:?}");
            assert!(curve.prices(quantities).is_none(), "{quantities:?}");
            assert!(curve.cost(quantities).is_none(), "{quantities:?}");
        }
    }

    #[test]
    fn price_near_one_keeps_digits_of_complement() {
        let curve = Curve::new(10.0, &[1e-12, 1.0 - 1e-12]).unwrap();
        let price = curve.price(&[0.0, 0.0], 1).unwrap();
        assert!((price.complement() / 1e-12 - 1.0).abs() < 1e-14, "{price:?}");
        assert!((price.ln_p() / -1e-12 - 1.0).abs() < 1e-11, "{price:?}");
    }

    #[test]
    fn trade_of_zero_is_zero_at_every_price() {
        for ln_p in [-1e6, -700.0, -1.0, -1e-12, -1e-300] {
            let price = Price::from_ln(ln_p, 3.0);
            for moved in [
                price.shares_for_spend(0.0),
                price.cost_of_shares(0.0),
                price.proceeds_of_shares(0.0),
                price.spend_to_reach(&price),
                price.shares_to_sell_to_reach(&price),
            ] {
                assert!(moved == 0.0, "{moved} at {price:?}");
            }
            assert!((price.after_spend(0.0).ln_p() / ln_p - 1.0).abs() < 1e-15);
        }
    }
}
