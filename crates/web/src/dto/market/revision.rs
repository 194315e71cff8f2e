//! Response type of revisions of markets.

use foretell_domain::id::UserId;
use foretell_domain::market::MarketRevision;
use foretell_domain::text::Clarification;
use serde::Serialize;
use utoipa::ToSchema;

use crate::dto::text::Text;
use crate::dto::time::Time;
use crate::openapi::names::Id;

/// A market as it was right after it was opened, edited or clarified.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MarketRevisionView<'a> {
    /// Number in the market; its opening is 1.
    number: i64,
    /// `opened`, `edited` or `clarified`.
    kind: &'static str,
    #[schema(value_type = Id)]
    author_id: Text<UserId>,
    name: &'a str,
    description: &'a str,
    end_date: Time,
    /// What a clarification has added; `null` otherwise.
    #[schema(required)]
    clarification: Option<&'a str>,
    created_at: Time,
}

impl<'a> From<&'a MarketRevision> for MarketRevisionView<'a> {
    fn from(revision: &'a MarketRevision) -> Self {
        Self {
            number: revision.number,
            kind: revision.kind().as_str(),
            author_id: Text(revision.author_id),
            name: revision.name.as_str(),
            description: revision.description.as_str(),
            end_date: Time(revision.ends_at),
            clarification: revision.clarification.as_ref().map(Clarification::as_str),
            created_at: Time(revision.created_at),
        }
    }
}
