//! Probabilities: finite numbers from 0 to 1.

use thiserror::Error;

/// Not a finite number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a probability is a number from 0 to 1")]
pub struct ProbabilityError;

/// Power of ten of the decimals with which probabilities are displayed.
const DISPLAYED_STEPS: f64 = 1_000_000.0;

/// A probability, 0 to 1 inclusive, such as the price of an option. Never money.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "f64", into = "f64")
)]
pub struct Probability(f64);

impl Probability {
    /// Creates a probability with this value.
    ///
    /// # Errors
    /// [`ProbabilityError`] below 0, above 1 and for NaN.
    pub fn new(value: f64) -> Result<Self, ProbabilityError> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(ProbabilityError) }
    }

    /// Returns the value, 0 to 1.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// Returns the value with the 6 decimals that users see.
    pub fn displayed(self) -> f64 {
        (self.0 * DISPLAYED_STEPS).round() / DISPLAYED_STEPS
    }

    /// Returns `true` if users see a probability of 1.
    pub fn is_displayed_as_one(self) -> bool {
        self.displayed() >= 1.0
    }
}

impl TryFrom<f64> for Probability {
    type Error = ProbabilityError;

    fn try_from(value: f64) -> Result<Self, ProbabilityError> {
        Self::new(value)
    }
}

impl From<Probability> for f64 {
    fn from(probability: Probability) -> Self {
        probability.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probability_outside_zero_to_one_is_rejected() {
        for value in [0.0, 1e-12, 0.5, 1.0] {
            assert_eq!(Probability::new(value).map(Probability::get), Ok(value));
        }
        for value in [-0.1, 1.000_001, f64::NAN, f64::INFINITY] {
            assert_eq!(Probability::new(value), Err(ProbabilityError));
        }
    }
}
