//! Shares: claims on one option, each unit paying one minor unit of money if the option wins.

use thiserror::Error;

/// The number of shares is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("shares cannot be below zero")]
pub struct SharesError;

/// A number of share units, 0 to 2^63 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "i64", into = "i64")
)]
pub struct Shares(i64);

impl Shares {
    /// No shares.
    pub const ZERO: Self = Self(0);

    /// Creates this many share units.
    ///
    /// # Errors
    /// [`SharesError`] below zero.
    pub const fn new(units: i64) -> Result<Self, SharesError> {
        if units >= 0 { Ok(Self(units)) } else { Err(SharesError) }
    }

    /// Returns the units, never below zero.
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Returns `true` if there are none.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Returns the sum, or `None` above 2^63 - 1.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Returns the difference, or `None` if there are fewer than `other`.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).filter(|units| *units >= 0).map(Self)
    }
}

impl TryFrom<i64> for Shares {
    type Error = SharesError;

    fn try_from(units: i64) -> Result<Self, SharesError> {
        Self::new(units)
    }
}

impl From<Shares> for i64 {
    fn from(shares: Shares) -> Self {
        shares.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_never_go_below_zero() {
        let two = Shares::new(2).unwrap();
        let three = Shares::new(3).unwrap();
        assert_eq!(Shares::new(-1), Err(SharesError));
        assert_eq!(two.minus(three), None);
        assert_eq!(three.minus(two).map(Shares::units), Some(1));
    }
}
