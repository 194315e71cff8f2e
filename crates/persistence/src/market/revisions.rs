//! The table `market_revisions`: immutable rows, numbered within each market.

use diesel::prelude::*;
use foretell_domain::id::MarketId;
use foretell_domain::market::{Market, MarketRevision};
use foretell_domain::time::Timestamp;
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::unit::Locked;

use crate::connection::{Connection, on};
use crate::dialect::bulk_market;
use crate::error::{Failure, StoredRow};
use crate::id::DbId;
use crate::market::revision_rows::{NewRevisionRow, RevisionRow};
use crate::schema::market_revisions;
use crate::unreadable_rows::load_page;

/// Inserts revisions.
pub(crate) fn insert(
    connection: &mut Connection<'_>,
    revisions: &[MarketRevision],
) -> Result<(), Failure> {
    let rows: Vec<_> = revisions.iter().map(NewRevisionRow::from).collect();
    bulk_market::insert_revisions(connection, &rows)?;
    Ok(())
}

/// Returns the end date of the first revision, or the present one without it: a program of the
/// version before opens markets without a revision.
pub(crate) fn first_end_date(
    connection: &mut Connection<'_>,
    market: &Locked<Market>,
) -> Result<Timestamp, Failure> {
    let id = DbId::from(market.id());
    let first = market_revisions::table.find((id, 1_i64)).select(market_revisions::ends_at_us);
    let ends_at_us: Option<i64> = on!(connection, |c| first.first(c).optional())?;
    let stored = StoredRow { table: "market_revisions", id };
    let ends_at = ends_at_us.map(|ends_at_us| stored.time("ends_at_us", ends_at_us));
    Ok(ends_at.transpose()?.unwrap_or(market.record().ends_at))
}

/// Returns a page of the revisions of a market, newest first.
pub(crate) fn list(
    connection: &mut Connection<'_>,
    market: MarketId,
    page: PageRequest<i64>,
) -> Result<Vec<MarketRevision>, Failure> {
    let load = |page: &PageRequest<i64>| {
        Ok(on!(connection, |c| {
            let all = market_revisions::table
                .filter(market_revisions::market_id.eq(DbId::from(market)))
                .order(market_revisions::number.desc())
                .limit(page.limit.into())
                .select(RevisionRow::as_select());
            match page.start {
                PageStart::First => all.load(c),
                PageStart::Offset(rows) => all.offset(rows).load(c),
                PageStart::After(number) => all.filter(market_revisions::number.lt(number)).load(c),
            }
        })?)
    };
    load_page(page, load, |row: &RevisionRow| row.number, MarketRevision::try_from)
}
