//! Types that exist only in the document, for values that the code reads and writes as text.

#![allow(dead_code, reason = "the document names these types, and nothing makes a value of them")]

use utoipa::PartialSchema;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, Type};

/// Id of any resource.
#[derive(Debug)]
pub(crate) struct Id;

impl PartialSchema for Id {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("uuid".to_owned())))
            .description(Some(
                "The id of anything: a UUID, of version 7 unless a client chose it.",
            ));
        schema.into()
    }
}

impl ToSchema for Id {}

/// Shares to sell: a decimal string, a whole number, or `all`.
#[derive(Debug)]
pub(crate) struct SharesText;

impl PartialSchema for SharesText {
    fn schema() -> RefOr<Schema> {
        super::values::amount(
            "Shares: a decimal string, a whole number, or `all` that are held.",
            "|all",
        )
    }
}

impl ToSchema for SharesText {}

/// Enumerations of names.
macro_rules! names {
    ($($(#[doc = $doc:literal])* $name:ident: $($text:literal),+;)+) => {$(
        $(#[doc = $doc])*
        #[derive(Debug)]
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let schema = ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some([$($text),+]))
                    .description(Some(concat!($($doc),*).trim()));
                schema.into()
            }
        }

        impl ToSchema for $name {}
    )+};
}

names! {
    /// Role of a user.
    RoleName: "USER", "MODERATOR", "ADMIN";
    /// Status of a user that an admin can set.
    StandingName: "active", "suspended";
    /// Status of a user.
    StatusName: "active", "suspended", "erased";
    /// Status of a resolution.
    ResolutionStatusName: "proposed", "applied", "rejected", "withdrawn", "undone";
    /// Scope of an API key.
    ScopeName: "read", "trade", "manage", "resolve";
    /// Kind of a job.
    JobKindName: "close_market", "welcome_mail", "decision_mail", "webhook", "embed_market", "embed_post", "embed_all",
        "purge_outcomes", "purge_sessions", "purge_jobs";
    /// State of a job.
    JobStateName: "waiting", "running", "done", "dead";
    /// Kind of event that a webhook can receive.
    WebhookEventName: "market.trade", "market.status";
    /// Status of a webhook.
    WebhookStatusName: "enabled", "disabled";
    /// Direction of a trade.
    SideName: "buy", "sell";
    /// Phase of a market.
    PhaseName: "open", "closed", "resolved", "cancelled";
    /// Mode of a batch: all transfers or none, or each independently.
    BatchModeName: "atomic", "independent";
}
