//! Schemas of values with a textual form of their own.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::dto::money::{AmountText, Money};
use crate::dto::probability::Rounded;
use crate::dto::time::Time;
use crate::validation::FieldErrorCode;

impl PartialSchema for Money {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(r"^-?[0-9]+(\.[0-9]+)?$"))
            .examples(["12.50"])
            .description(Some(
                "Money or shares: a decimal string with all digits of the currency.",
            ));
        schema.into()
    }
}

impl ToSchema for Money {}

impl PartialSchema for AmountText {
    fn schema() -> RefOr<Schema> {
        amount("Money or shares, more than none: a decimal string or a whole number.", "")
    }
}

impl ToSchema for AmountText {}

/// Returns the schema of an amount in a request; `or_else` is an alternative in the pattern.
pub(super) fn amount(description: &str, or_else: &str) -> RefOr<Schema> {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Integer]))
        .pattern(Some(format!(r"^([0-9]+(\.[0-9]+)?{or_else})$")))
        .minimum(Some(1))
        .examples(["12.50"])
        .description(Some(description));
    schema.into()
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some(
                "A moment in RFC 3339; written in UTC, with microseconds where there are any.",
            ));
        schema.into()
    }
}

impl ToSchema for Time {}

impl PartialSchema for Rounded {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::Number)
            .minimum(Some(0))
            .maximum(Some(1))
            .description(Some("A probability, with at most 6 decimals."));
        schema.into()
    }
}

impl ToSchema for Rounded {
    fn name() -> std::borrow::Cow<'static, str> {
        "Probability".into()
    }
}

impl PartialSchema for FieldErrorCode {
    fn schema() -> RefOr<Schema> {
        let names = Self::ALL.iter().map(|code| code.as_str());
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).into()
    }
}

impl ToSchema for FieldErrorCode {}
