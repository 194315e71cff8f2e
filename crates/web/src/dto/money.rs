//! Money and shares in JSON: decimal strings in responses; decimal strings or whole numbers in
//! requests.

use std::fmt;

use foretell_domain::money::{Amount, Currency};
use foretell_domain::shares::Shares;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::field_value::{AsFieldError as _, FieldValue, wrong_type};
use super::parsed::validated;
use crate::extract::RequestContext;

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

impl FieldValue for AmountText {
    const EXPECTED: &'static str = "a decimal string such as \"12.50\" or a whole number";

    fn parse(text: &str) -> Result<Self, garde::Error> {
        Ok(Self(text.to_owned()))
    }

    fn parse_other(value: Value) -> Result<Self, garde::Error> {
        let whole = value.as_number().filter(|number| !number.is_f64());
        whole.map(|whole| Self(whole.to_string())).ok_or_else(wrong_type::<Self>)
    }
}

/// Rule of a field with money, or with a number of shares: an amount of the currency.
pub(crate) fn is_amount(text: &AmountText, context: &RequestContext) -> garde::Result {
    context.currency().parse_amount(&text.0).map(drop).map_err(|error| error.to_error())
}

impl AmountText {
    /// Returns the money of a validated field.
    pub(crate) fn to_amount(&self, context: &RequestContext) -> Amount {
        validated(context.currency().parse_amount(&self.0).ok())
    }

    /// Returns the shares of a validated field.
    pub(crate) fn to_shares(&self, context: &RequestContext) -> Shares {
        validated(Shares::new(self.to_amount(context).minor()).ok())
    }

    /// Returns the text as sent.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dto::parsed::Parsed;

    fn check(json: &str, expected: Option<&str>) {
        let read: Parsed<AmountText> = serde_json::from_str(json).unwrap();
        assert_eq!(read.valid().map(AmountText::as_str), expected, "{json}");
    }

    #[test]
    fn amounts_are_decimal_strings_or_whole_numbers() {
        check("\"12.50\"", Some("12.50"));
        check("12", Some("12"));
        check("9223372036854775808", Some("9223372036854775808"));
        check("-3", Some("-3"));
        for json in ["12.5", "12.0", "1e3", "99999999999999999999", "true", "null", "[]"] {
            check(json, None);
        }
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
