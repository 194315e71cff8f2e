//! Rows of the table `market_revisions`.

#![allow(clippy::ref_option_ref, reason = "the code that Diesel derives for an optional text")]

use diesel::prelude::*;
use foretell_domain::market::MarketRevision;
use foretell_domain::text::{Clarification, MarketDescription, MarketName};

use crate::error::{Failure, StoredRow};
use crate::id::DbId;
use crate::schema::market_revisions;

#[derive(Queryable, Selectable)]
#[diesel(table_name = market_revisions)]
pub(crate) struct RevisionRow {
    market_id: DbId,
    pub(crate) number: i64,
    author_id: DbId,
    name: String,
    description: String,
    ends_at_us: i64,
    clarification: Option<String>,
    created_at_us: i64,
}

impl TryFrom<RevisionRow> for MarketRevision {
    type Error = Failure;

    fn try_from(row: RevisionRow) -> Result<Self, Failure> {
        let id = format_args!("{}, {}", row.market_id, row.number);
        let stored = StoredRow { table: "market_revisions", id };
        Ok(Self {
            market_id: row.market_id.into(),
            number: row.number,
            author_id: row.author_id.into(),
            name: MarketName::restore(row.name),
            description: MarketDescription::restore(row.description),
            ends_at: stored.time("ends_at_us", row.ends_at_us)?,
            clarification: row.clarification.map(Clarification::restore),
            created_at: stored.time("created_at_us", row.created_at_us)?,
        })
    }
}

/// Inserted columns of a revision.
#[derive(Insertable, Clone, Copy)]
#[diesel(table_name = market_revisions, treat_none_as_default_value = false)]
pub(crate) struct NewRevisionRow<'a> {
    pub(crate) market_id: DbId,
    pub(crate) number: i64,
    pub(crate) author_id: DbId,
    pub(crate) name: &'a str,
    pub(crate) description: &'a str,
    pub(crate) ends_at_us: i64,
    pub(crate) clarification: Option<&'a str>,
    pub(crate) created_at_us: i64,
}

impl<'a> From<&'a MarketRevision> for NewRevisionRow<'a> {
    fn from(revision: &'a MarketRevision) -> Self {
        Self {
            market_id: revision.market_id.into(),
            number: revision.number,
            author_id: revision.author_id.into(),
            name: revision.name.as_str(),
            description: revision.description.as_str(),
            ends_at_us: revision.ends_at.micros(),
            clarification: revision.clarification.as_ref().map(Clarification::as_str),
            created_at_us: revision.created_at.micros(),
        }
    }
}
