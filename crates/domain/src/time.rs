//! Time: microseconds since 1970 in UTC; the domain never reads a clock.

use std::time::Duration;

/// A moment in the range of RFC 3339: microseconds since 1970-01-01T00:00:00Z, from the year 1 to
/// the year 9999 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(from = "i64", into = "i64")
)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first moment, 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(-62_135_596_800_000_000);

    /// The last moment, 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// Returns the moment this many microseconds after 1970-01-01T00:00:00Z, or the nearest one
    /// between [`MIN`](Self::MIN) and [`MAX`](Self::MAX). Used for stored times and sums.
    pub const fn from_micros(micros: i64) -> Self {
        if micros < Self::MIN.0 {
            Self::MIN
        } else if micros > Self::MAX.0 {
            Self::MAX
        } else {
            Self(micros)
        }
    }

    /// Returns the moment this many microseconds after 1970-01-01T00:00:00Z, if it is in range.
    /// Used for times from clients.
    pub fn checked_from_micros(micros: i128) -> Option<Self> {
        let micros = i64::try_from(micros).ok()?;
        let moment = Self::from_micros(micros);
        (moment.0 == micros).then_some(moment)
    }

    /// Returns the microseconds since 1970-01-01T00:00:00Z.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Returns the moment after this duration, at most [`MAX`](Self::MAX).
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// Returns the moment `seconds` later, at most [`MAX`](Self::MAX).
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_micros(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }
}

impl From<i64> for Timestamp {
    fn from(micros: i64) -> Self {
        Self::from_micros(micros)
    }
}

impl From<Timestamp> for i64 {
    fn from(moment: Timestamp) -> Self {
        moment.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_stay_within_the_writable_years() {
        assert_eq!(Timestamp::from_micros(i64::MIN), Timestamp::MIN);
        assert_eq!(Timestamp::from_micros(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.plus_seconds(1), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.plus_seconds(i64::MIN), Timestamp::MIN);
        assert_eq!(Timestamp::from_micros(5).plus_seconds(1).micros(), 1_000_005);
        assert_eq!(Timestamp::MAX.plus(Duration::from_micros(1)), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.plus(Duration::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::from_micros(5).plus(Duration::from_millis(1)).micros(), 1_005);
    }

    #[test]
    fn moments_outside_the_writable_years_are_rejected() {
        for micros in [
            i128::from(Timestamp::MIN.0) - 1,
            i128::from(Timestamp::MAX.0) + 1,
            i128::MIN,
            i128::MAX,
        ] {
            assert_eq!(Timestamp::checked_from_micros(micros), None, "{micros}");
        }
        for moment in [Timestamp::MIN, Timestamp::from_micros(0), Timestamp::MAX] {
            assert_eq!(Timestamp::checked_from_micros(moment.micros().into()), Some(moment));
        }
    }
}
