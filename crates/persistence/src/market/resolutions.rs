//! The tables `market_resolutions`, numbered within each market, and `market_disputes`.

use diesel::prelude::*;
use foretell_domain::id::MarketId;
use foretell_domain::market::{Dispute, Resolution};
use foretell_domain::time::Timestamp;
use foretell_ports::market::ProposalKey;
use foretell_ports::page::{PageRequest, PageStart};

use crate::connection::{Connection, on};
use crate::error::Failure;
use crate::id::DbId;
use crate::market::resolution_rows::{DisputeRow, ResolutionRow};
use crate::schema::{market_disputes, market_resolutions};
use crate::unreadable_rows::{load_page, skip_unreadable};

/// Stored name of the status of a proposal that waits.
const PROPOSED: &str = "proposed";

/// Returns the newest resolution of a market.
pub(crate) fn find_newest(
    connection: &mut Connection<'_>,
    market: MarketId,
) -> Result<Option<Resolution>, Failure> {
    let found = on!(connection, |c| {
        market_resolutions::table
            .filter(market_resolutions::market_id.eq(DbId::from(market)))
            .order(market_resolutions::number.desc())
            .select(ResolutionRow::as_select())
            .first(c)
            .optional()
    })?;
    found.map(Resolution::try_from).transpose()
}

/// Inserts or replaces a resolution.
pub(crate) fn save(
    connection: &mut Connection<'_>,
    resolution: &Resolution,
) -> Result<(), Failure> {
    let row = ResolutionRow::from(resolution);
    on!(connection, |c| {
        diesel::insert_into(market_resolutions::table)
            .values(&row)
            .on_conflict((market_resolutions::market_id, market_resolutions::number))
            .do_update()
            .set(&row)
            .execute(c)
    })?;
    Ok(())
}

/// Inserts a dispute. Returns `false` if the user has already disputed the resolution.
pub(crate) fn insert_dispute(
    connection: &mut Connection<'_>,
    dispute: &Dispute,
) -> Result<bool, Failure> {
    let row = DisputeRow::from(dispute);
    let inserted = on!(connection, |c| {
        diesel::insert_into(market_disputes::table).values(&row).on_conflict_do_nothing().execute(c)
    })?;
    Ok(inserted == 1)
}

/// Returns a page of the resolutions of a market, newest first.
pub(crate) fn list(
    connection: &mut Connection<'_>,
    market: MarketId,
    page: PageRequest<i64>,
) -> Result<Vec<Resolution>, Failure> {
    let load = |page: &PageRequest<i64>| {
        Ok(on!(connection, |c| {
            let all = market_resolutions::table
                .filter(market_resolutions::market_id.eq(DbId::from(market)))
                .order(market_resolutions::number.desc())
                .limit(page.limit.into())
                .select(ResolutionRow::as_select());
            match page.start {
                PageStart::First => all.load(c),
                PageStart::Offset(rows) => all.offset(rows).load(c),
                PageStart::After(number) => {
                    all.filter(market_resolutions::number.lt(number)).load(c)
                }
            }
        })?)
    };
    load_page(page, load, |row: &ResolutionRow| row.number, Resolution::try_from)
}

/// Returns the disputes of these resolutions of a market, oldest first, at most `limit` each.
pub(crate) fn list_disputes(
    connection: &mut Connection<'_>,
    market: MarketId,
    numbers: &[i64],
    limit: u32,
) -> Result<Vec<Dispute>, Failure> {
    let mut disputes = Vec::new();
    // A page of resolutions has few that are disputed.
    for number in numbers {
        let rows: Vec<DisputeRow> = on!(connection, |c| {
            market_disputes::table
                .filter(market_disputes::market_id.eq(DbId::from(market)))
                .filter(market_disputes::number.eq(number))
                .order((market_disputes::created_at_us, market_disputes::user_id))
                .limit(limit.into())
                .select(DisputeRow::as_select())
                .load(c)
        })?;
        disputes.extend(skip_unreadable(rows.into_iter().map(Dispute::try_from))?);
    }
    Ok(disputes)
}

/// Returns at most `limit` markets with an undisputed proposal that takes effect by `now`.
pub(crate) fn list_due(
    connection: &mut Connection<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<MarketId>, Failure> {
    let found: Vec<DbId> = on!(connection, |c| {
        market_resolutions::table
            .filter(market_resolutions::status.eq(PROPOSED))
            .filter(market_resolutions::takes_effect_at_us.le(now.micros()))
            .filter(market_resolutions::dispute_count.eq(0))
            .order((market_resolutions::takes_effect_at_us, market_resolutions::market_id))
            .limit(limit.into())
            .select(market_resolutions::market_id)
            .load(c)
    })?;
    Ok(found.into_iter().map(MarketId::from).collect())
}

/// Returns a page of the proposals of all markets that wait, the first to take effect first.
pub(crate) fn list_proposals(
    connection: &mut Connection<'_>,
    page: PageRequest<ProposalKey>,
) -> Result<Vec<Resolution>, Failure> {
    let load = |page: &PageRequest<ProposalKey>| {
        Ok(on!(connection, |c| {
            let all = market_resolutions::table
                .filter(market_resolutions::status.eq(PROPOSED))
                .order((market_resolutions::takes_effect_at_us, market_resolutions::market_id))
                .limit(page.limit.into())
                .select(ResolutionRow::as_select());
            match page.start {
                PageStart::First => all.load(c),
                PageStart::Offset(rows) => all.offset(rows).load(c),
                PageStart::After(ProposalKey { takes_effect_at, market_id }) => {
                    let at_us = takes_effect_at.micros();
                    let is_later = market_resolutions::takes_effect_at_us.gt(at_us).or(
                        market_resolutions::takes_effect_at_us
                            .eq(at_us)
                            .and(market_resolutions::market_id.gt(DbId::from(market_id))),
                    );
                    all.filter(is_later).load(c)
                }
            }
        })?)
    };
    load_page(page, load, ResolutionRow::proposal_key, Resolution::try_from)
}

/// Returns the number of proposals that wait.
pub(crate) fn count_proposals(connection: &mut Connection<'_>) -> Result<i64, Failure> {
    Ok(on!(connection, |c| {
        market_resolutions::table
            .filter(market_resolutions::status.eq(PROPOSED))
            .count()
            .get_result(c)
    })?)
}
