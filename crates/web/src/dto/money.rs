//! Money and shares in JSON: decimal strings in responses; decimal strings or whole numbers in
//! requests.

use std::fmt;

use foretell_domain::money::{Amount, Currency, MoneyError};
use foretell_domain::shares::Shares;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Money or shares, written as a decimal string such as `"12.50"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Money {
    minor: i128,
    decimals: u8,
}

impl Money {
    /// Creates the value of this many minor units of the currency, or this many share units.
    pub(crate) fn new(currency: &Currency, minor: impl Into<i128>) -> Self {
        Self { minor: minor.into(), decimals: currency.decimals() }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let scale = 10_u128.pow(u32::from(self.decimals));
        let magnitude = self.minor.unsigned_abs();
        write!(f, "{sign}{}", magnitude / scale)?;
        if self.decimals > 0 {
            write!(f, ".{:0width$}", magnitude % scale, width = usize::from(self.decimals))?;
        }
        Ok(())
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An amount in a request: a decimal string, or a whole number of major units. The currency
/// converts it to money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AmountText(String);

impl AmountText {
    /// Parses the text as money.
    pub(crate) fn to_amount(&self, currency: &Currency) -> Result<Amount, MoneyError> {
        currency.parse_amount(&self.0)
    }

    /// Parses the text as a number of shares above zero.
    pub(crate) fn to_shares(&self, currency: &Currency) -> Result<Shares, MoneyError> {
        let units = self.to_amount(currency)?.minor();
        Shares::new(units).map_err(|_| MoneyError::NotPositive)
    }

    /// Returns the text as sent.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for AmountText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AmountVisitor).map(Self)
    }
}

struct AmountVisitor;

impl Visitor<'_> for AmountVisitor {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal string such as \"12.50\" or a whole number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_i64<E: Error>(self, whole: i64) -> Result<String, E> {
        Ok(whole.to_string())
    }

    fn visit_u64<E: Error>(self, whole: u64) -> Result<String, E> {
        Ok(whole.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: Result<i64, &str>) {
        let currency = Currency::new("PLAY", 2).unwrap();
        let read = serde_json::from_str::<AmountText>(json).map_err(|error| error.to_string());
        let amount = read.and_then(|text| text.to_amount(&currency).map_err(|error| error.to_string()));
        match (amount, expected) {
            (Ok(amount), Ok(expected)) => assert_eq!(amount.minor(), expected, "{json}"),
            (Err(error), Err(expected)) => assert!(error.contains(expected), "{json}: {error}"),
            (amount, expected) => panic!("{json}: {amount:?}, not {expected:?}"),
        }
    }

    #[test]
    fn amounts_are_decimal_strings_or_whole_numbers() {
        check("\"12.50\"", Ok(1_250));
        check("12", Ok(1_200));
        check("12.5", Err("a decimal string such as"));
        check("12.0", Err("a decimal string such as"));
        check("1e3", Err("a decimal string such as"));
        check("99999999999999999999", Err("a decimal string such as"));
        check("9223372036854775807", Err("too large"));
        check("-3", Err("a decimal number"));
        check("0", Err("greater than zero"));
        check("\"-3\"", Err("a decimal number"));
        check("\"1.234\"", Err("at most 2 digits"));
        check("true", Err("a decimal string such as"));
        check("null", Err("a decimal string such as"));
    }

    #[test]
    fn money_has_decimals_of_currency() {
        for decimals in [0, 2, 8] {
            let currency = Currency::new("PLAY", decimals).unwrap();
            for minor in [0, 1, -1, 1_250, i64::MAX, i64::MIN] {
                let written = Money::new(&currency, minor).to_string();
                assert_eq!(written, currency.display(minor).to_string());
            }
        }
    }
}
