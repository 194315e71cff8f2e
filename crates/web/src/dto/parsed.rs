//! Fields of requests: each value is parsed when the request is deserialized.
//!
//! An invalid value does not end the deserialization. The field keeps the reason, and garde reports
//! it with the errors of all other fields: `#[garde(required, dive)] name:
//! Option<Parsed<UserName>>`.

use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

use garde::rules::length::HasSimpleLength;
use garde::rules::range::{Bounds, OutOfBounds};
use garde::util::nested_path;
use garde::{Path, Report, Validate};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::field_value::FieldValue;
use crate::extract::RequestContext;
use crate::validation::{FieldErrorCode, invalid};

/// Value of a field, or the reason why it is invalid.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub(crate) struct Parsed<T>(Result<T, garde::Error>);

impl<T> Parsed<T> {
    /// Returns the value if it is valid.
    pub(crate) const fn valid(&self) -> Option<&T> {
        match &self.0 {
            Ok(value) => Some(value),
            Err(_) => None,
        }
    }

    /// Returns the value of a validated field.
    #[track_caller]
    fn into_inner(self) -> T {
        validated(self.0.ok())
    }
}

/// Returns the value of a required field of a validated request.
#[track_caller]
pub(crate) fn required<T>(field: Option<Parsed<T>>) -> T {
    validated(field).into_inner()
}

/// Returns the value of an optional field of a validated request.
#[track_caller]
pub(crate) fn optional<T>(field: Option<Parsed<T>>) -> Option<T> {
    field.map(Parsed::into_inner)
}

/// Returns a value that validation has found to be valid.
///
/// # Panics
/// If the request was not validated, or its rules are incomplete.
#[expect(clippy::expect_used, reason = "requests are converted as `garde::Valid` only")]
#[track_caller]
pub(crate) fn validated<T>(value: Option<T>) -> T {
    value.expect("a validated field has a valid value")
}

/// Applies a rule to the value of a field that has a valid one: for `#[garde(custom(..))]`.
pub(crate) fn if_valid<T>(
    rule: impl FnOnce(&T, &RequestContext) -> garde::Result,
) -> impl FnOnce(&Option<Parsed<T>>, &RequestContext) -> garde::Result {
    |field, context| {
        field.as_ref().and_then(Parsed::valid).map_or(Ok(()), |value| rule(value, context))
    }
}

impl<T> Validate for Parsed<T> {
    type Context = RequestContext;

    fn validate_into(
        &self,
        _: &RequestContext,
        parent: &mut dyn FnMut() -> Path,
        report: &mut Report,
    ) {
        if let Err(error) = &self.0 {
            report.append(parent(), error.clone());
        }
    }
}

/// For `#[garde(range(..))]`.
impl<T: Bounds> Bounds for Parsed<T> {
    type Size = T::Size;

    const MIN: T::Size = T::MIN;
    const MAX: T::Size = T::MAX;

    fn validate_bounds(&self, lower: T::Size, upper: T::Size) -> Result<(), OutOfBounds> {
        self.valid().map_or(Ok(()), |value| value.validate_bounds(lower, upper))
    }
}

impl<'de, T: FieldValue> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor(PhantomData))
    }
}

/// Parses strings as they are read, without a copy.
struct FieldVisitor<T>(PhantomData<T>);

macro_rules! other_values {
    ($($visit:ident: $type:ty),+) => {$(
        fn $visit<E>(self, value: $type) -> Result<Parsed<T>, E> {
            Ok(Parsed(T::parse_other(value.into())))
        }
    )+};
}

impl<'de, T: FieldValue> Visitor<'de> for FieldVisitor<T> {
    type Value = Parsed<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Parsed<T>, E> {
        Ok(Parsed(T::parse(text)))
    }

    other_values! { visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64 }

    fn visit_unit<E>(self) -> Result<Parsed<T>, E> {
        Ok(Parsed(T::parse_other(Value::Null)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Parsed<T>, A::Error> {
        let value = Value::deserialize(SeqAccessDeserializer::new(items))?;
        Ok(Parsed(T::parse_other(value)))
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Parsed<T>, A::Error> {
        let value = Value::deserialize(MapAccessDeserializer::new(fields))?;
        Ok(Parsed(T::parse_other(value)))
    }
}

/// A list of different values.
#[derive(Debug, Deserialize)]
#[serde(transparent, bound = "T: FieldValue")]
pub(crate) struct Distinct<T>(Vec<Parsed<T>>);

impl<T> Distinct<T> {
    /// Returns the values of a validated list.
    pub(crate) fn into_values(self) -> impl Iterator<Item = T> {
        self.0.into_iter().map(Parsed::into_inner)
    }
}

impl<T> HasSimpleLength for Distinct<T> {
    fn length(&self) -> usize {
        self.0.len()
    }
}

impl<T: Eq + Hash> Validate for Distinct<T> {
    type Context = RequestContext;

    fn validate_into(
        &self,
        context: &RequestContext,
        mut parent: &mut dyn FnMut() -> Path,
        report: &mut Report,
    ) {
        self.0.validate_into(context, parent, report);
        for index in repeated(self.0.iter().map(Parsed::valid)) {
            let mut path = nested_path!(parent, index);
            report.append(path(), is_repeated());
        }
    }
}

/// Returns the positions of keys that an earlier item has too.
pub(crate) fn repeated<K: Eq + Hash>(keys: impl Iterator<Item = Option<K>>) -> Vec<usize> {
    let mut known = HashSet::new();
    let is_repeated = |(index, key): (usize, Option<K>)| (!known.insert(key?)).then_some(index);
    keys.enumerate().filter_map(is_repeated).collect()
}

/// Returns the error of an item that an earlier one repeats.
pub(crate) fn is_repeated() -> garde::Error {
    invalid(FieldErrorCode::Repeated, "must differ from the items before it")
}

#[cfg(test)]
mod tests {
    use foretell_domain::text::UserName;

    use super::*;

    fn check<T: FieldValue>(json: &str, expected: Result<(), &str>) {
        let field: Parsed<T> = serde_json::from_str(json).unwrap();
        let found = field.0.as_ref().map(|_| ()).map_err(garde::Error::message);
        assert_eq!(found, expected, "{json}");
    }

    #[test]
    fn invalid_value_is_kept_as_its_reason() {
        check::<UserName>("\"Ada\"", Ok(()));
        check::<UserName>("\"\"", Err("length|must have 1 to 50 characters"));
        for json in ["5", "-5", "1.5", "true", "null", "[\"Ada\"]", "{\"a\":[{}]}"] {
            check::<UserName>(json, Err("type|must be a string"));
        }
        check::<bool>("true", Ok(()));
        check::<bool>("\"true\"", Err("type|must be true or false"));
    }

    #[test]
    fn repeated_keys_are_found() {
        let keys = [Some("a"), None, Some("b"), Some("a"), None, Some("a")];
        assert_eq!(repeated(keys.into_iter()), [3, 5]);
    }
}
