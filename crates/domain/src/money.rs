//! Money: amounts, balances and the currency that reads and writes them.

use std::fmt;

use thiserror::Error;

/// Reason why a number is not a valid amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum MoneyError {
    /// An amount is at least one minor unit.
    #[error("an amount must be greater than zero")]
    NotPositive,
    /// Not a plain decimal number: a sign, an exponent, a space or no digits at all.
    #[error("an amount is a decimal number such as \"12.50\"")]
    Malformed,
    /// More digits after the point than the currency has.
    #[error("an amount has at most {decimals} digits after the point")]
    TooPrecise {
        /// The digits that the currency has.
        decimals: u8,
    },
    /// Above 2^63 - 1 minor units.
    #[error("the amount is too large")]
    TooLarge,
}

/// An amount of money to be moved: 1 to 2^63 - 1 minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "i64", into = "i64")
)]
pub struct Amount(i64);

impl Amount {
    /// Returns the amount of this many minor units.
    ///
    /// # Errors
    /// [`MoneyError::NotPositive`] for zero and below.
    pub const fn new(minor: i64) -> Result<Self, MoneyError> {
        if minor > 0 { Ok(Self(minor)) } else { Err(MoneyError::NotPositive) }
    }

    /// Returns the minor units, always above zero.
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// Returns the sum, or `None` above 2^63 - 1 minor units.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

impl TryFrom<i64> for Amount {
    type Error = MoneyError;

    fn try_from(minor: i64) -> Result<Self, MoneyError> {
        Self::new(minor)
    }
}

impl From<Amount> for i64 {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

/// Balance of an account, in minor units; below zero only for the treasury.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Balance(i64);

impl Balance {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// Returns the balance of this many minor units.
    pub const fn from_minor(minor: i64) -> Self {
        Self(minor)
    }

    /// Returns the minor units, possibly below zero.
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// Returns the balance with `amount` more, or `None` above 2^63 - 1.
    #[must_use]
    pub fn plus(self, amount: Amount) -> Option<Self> {
        self.0.checked_add(amount.0).map(Self)
    }

    /// Returns the balance with `amount` less, or `None` below -2^63. The account checks its
    /// minimum.
    #[must_use]
    pub fn minus(self, amount: Amount) -> Option<Self> {
        self.0.checked_sub(amount.0).map(Self)
    }

    /// Returns the balance as an amount to move, or `None` if it is zero or below.
    pub fn to_amount(self) -> Option<Amount> {
        Amount::new(self.0).ok()
    }
}

impl From<Amount> for Balance {
    fn from(amount: Amount) -> Self {
        Self(amount.0)
    }
}

/// Reason why a currency is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CurrencyError {
    /// The code is not 3 to 8 capital ASCII letters.
    #[error("a currency code has 3 to 8 capital letters")]
    Code,
    /// More than 8 digits after the point.
    #[error("a currency has at most 8 digits after the point")]
    Decimals,
}

/// The one currency of a ledger: its code and its number of decimals (0 to 8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Currency {
    code: String,
    decimals: u8,
}

impl Currency {
    /// Creates a currency such as `PLAY` with 2 decimals.
    ///
    /// # Errors
    /// [`CurrencyError::Code`] unless the code is 3 to 8 capital ASCII letters,
    /// [`CurrencyError::Decimals`] above 8 decimals.
    pub fn new(code: &str, decimals: u8) -> Result<Self, CurrencyError> {
        if !(3..=8).contains(&code.len()) || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(CurrencyError::Code);
        }
        if decimals > 8 {
            return Err(CurrencyError::Decimals);
        }
        Ok(Self { code: code.to_owned(), decimals })
    }

    /// Returns the currency `PLAY` with 2 decimals.
    pub fn play() -> Self {
        Self { code: "PLAY".to_owned(), decimals: 2 }
    }

    /// Returns the code, 3 to 8 capital letters.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Returns the digits after the point, 0 to 8.
    pub const fn decimals(&self) -> u8 {
        self.decimals
    }

    /// Minor units in one major unit: 10 to the power of the decimals.
    pub const fn minor_per_major(&self) -> i64 {
        10_i64.pow(self.decimals as u32)
    }

    /// Reads a decimal number of major units, such as `"12.5"`, as minor units.
    ///
    /// # Errors
    /// [`MoneyError::Malformed`] for anything but digits with at most one point between them,
    /// [`MoneyError::TooPrecise`] for more digits after the point than the currency has,
    /// [`MoneyError::TooLarge`] above 2^63 - 1 minor units, [`MoneyError::NotPositive`] for zero.
    ///
    /// ```
    /// use foretell_domain::money::{Currency, MoneyError};
    ///
    /// let play = Currency::new("PLAY", 2)?;
    /// assert_eq!(play.parse_amount("12.5")?.minor(), 1_250);
    /// assert_eq!(play.parse_amount("12.505"), Err(MoneyError::TooPrecise { decimals: 2 }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn parse_amount(&self, text: &str) -> Result<Amount, MoneyError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_number =
            |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) {
            return Err(MoneyError::Malformed);
        }
        let decimals = usize::from(self.decimals);
        let fraction = if text.contains('.') { fraction } else { "" };
        if fraction.len() > decimals {
            return Err(MoneyError::TooPrecise { decimals: self.decimals });
        }
        let padding = std::iter::repeat_n(b'0', decimals - fraction.len());
        let minor =
            whole.bytes().chain(fraction.bytes()).chain(padding).try_fold(0_i64, |minor, digit| {
                minor.checked_mul(10)?.checked_add(i64::from(digit - b'0'))
            });
        Amount::new(minor.ok_or(MoneyError::TooLarge)?)
    }

    /// Reads a whole number of major units as an amount.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] above 2^63 - 1 minor units, [`MoneyError::NotPositive`] for zero
    /// and below.
    pub fn amount_of_major(&self, major: i64) -> Result<Amount, MoneyError> {
        let minor = major.checked_mul(self.minor_per_major());
        Amount::new(minor.ok_or(MoneyError::TooLarge)?)
    }

    /// Writes minor units as a decimal number of major units with all of the currency's digits.
    ///
    /// ```
    /// let play = foretell_domain::money::Currency::new("PLAY", 2)?;
    /// assert_eq!(play.display(-5).to_string(), "-0.05");
    /// # Ok::<(), foretell_domain::money::CurrencyError>(())
    /// ```
    pub const fn display(&self, minor: i64) -> impl fmt::Display + use<> {
        Decimal { minor, decimals: self.decimals }
    }
}

struct Decimal {
    minor: i64,
    decimals: u8,
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let scale = 10_u64.pow(u32::from(self.decimals));
        let magnitude = self.minor.unsigned_abs();
        write!(f, "{sign}{}", magnitude / scale)?;
        if self.decimals > 0 {
            write!(f, ".{:0width$}", magnitude % scale, width = usize::from(self.decimals))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(decimals: u8, text: &str, expected: Result<i64, MoneyError>) {
        let currency = Currency::new("PLAY", decimals).unwrap();
        assert_eq!(
            currency.parse_amount(text).map(Amount::minor),
            expected,
            "{text:?} with {decimals}"
        );
    }

    #[test]
    fn decimal_text_becomes_minor_units() {
        check(2, "12.50", Ok(1_250));
        check(2, "12.5", Ok(1_250));
        check(2, "12", Ok(1_200));
        check(2, "0.01", Ok(1));
        check(2, "007", Ok(700));
        check(0, "12", Ok(12));
        check(8, "1.00000001", Ok(100_000_001));
        check(2, "92233720368547758.07", Ok(i64::MAX));
    }

    #[test]
    fn text_that_is_no_amount_is_rejected() {
        for text in [
            "", ".", "1.", ".5", "-1", "+1", "1e3", " 1", "1 ", "1,5", "1.2.3", "0x1", "٣", "NaN",
            "inf",
        ] {
            check(2, text, Err(MoneyError::Malformed));
        }
        check(2, "1.001", Err(MoneyError::TooPrecise { decimals: 2 }));
        check(0, "1.0", Err(MoneyError::TooPrecise { decimals: 0 }));
        check(2, "0", Err(MoneyError::NotPositive));
        check(2, "0.00", Err(MoneyError::NotPositive));
        check(2, "92233720368547758.08", Err(MoneyError::TooLarge));
        check(2, &"9".repeat(400), Err(MoneyError::TooLarge));
    }

    #[test]
    fn minor_units_become_decimal_text() {
        let check = |decimals, minor, expected| {
            let currency = Currency::new("PLAY", decimals).unwrap();
            assert_eq!(currency.display(minor).to_string(), expected);
        };
        check(2, 1_250, "12.50");
        check(2, 0, "0.00");
        check(2, -1, "-0.01");
        check(0, -7, "-7");
        check(2, i64::MIN, "-92233720368547758.08");
    }

    #[test]
    fn balance_overflow_is_rejected() {
        let one = Amount::new(1).unwrap();
        assert_eq!(Balance::from_minor(i64::MAX).plus(one), None);
        assert_eq!(Balance::from_minor(i64::MIN).minus(one), None);
        assert_eq!(Balance::ZERO.minus(one), Some(Balance::from_minor(-1)));
    }

    #[test]
    fn currencies_have_plain_codes_and_few_decimals() {
        assert_eq!(Currency::new("play", 2), Err(CurrencyError::Code));
        assert_eq!(Currency::new("PL", 2), Err(CurrencyError::Code));
        assert_eq!(Currency::new("PLAY", 9), Err(CurrencyError::Decimals));
    }
}
