//! Types that stand in the document only, for what the code reads and writes as text.

#![allow(dead_code, reason = "the document names these types, and nothing makes a value of them")]

use utoipa::PartialSchema;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, Type};

/// The id of anything.
#[derive(Debug)]
pub(crate) struct Id;

impl PartialSchema for Id {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("uuid".to_owned())))
            .description(Some("The id of anything: a UUID, of version 7 unless a client chose it."));
        schema.into()
    }
}

impl ToSchema for Id {}

/// Shares to sell: a decimal string, a whole number, or `all`.
#[derive(Debug)]
pub(crate) struct SharesText;

impl PartialSchema for SharesText {
    fn schema() -> RefOr<Schema> {
        super::values::amount("Shares: a decimal string, a whole number, or `all` that are held.", "|all")
    }
}

impl ToSchema for SharesText {}

/// The names that a value may have.
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
    /// What a user may do.
    RoleName: "USER", "MODERATOR", "ADMIN";
    /// Whether a user may sign in, as an admin decides.
    StandingName: "active", "suspended";
    /// Whether a user may sign in, or has gone.
    StatusName: "active", "suspended", "erased";
    /// What an API key may be used for.
    ScopeName: "read", "trade", "manage";
    /// What a job does.
    JobKindName: "close_market", "welcome_mail", "decision_mail", "webhook", "embed_market", "embed_post", "embed_all",
        "purge_outcomes", "purge_sessions", "purge_jobs";
    /// Where a job stands.
    JobStateName: "waiting", "running", "done", "dead";
    /// What a webhook can be told.
    WebhookEventName: "market.trade", "market.status";
    /// Whether a webhook is sent anything.
    WebhookStatusName: "enabled", "disabled";
    /// Whether shares are bought or sold.
    SideName: "buy", "sell";
    /// Where a market stands in its life.
    PhaseName: "open", "closed", "resolved", "cancelled";
    /// Whether the transfers of a batch stand and fall together.
    BatchModeName: "atomic", "independent";
}
