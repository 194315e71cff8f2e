//! Lists of markets: filter, order, pages and counts.

use std::collections::BTreeMap;

use diesel::prelude::*;
use foretell_domain::market::Phase;
use foretell_ports::market::{MarketDetails, MarketFilter, MarketKey, MarketSort};
use foretell_ports::page::{PageRequest, PageStart};

use crate::connection::{Connection, on};
use crate::dialect::transaction::snapshot;
use crate::error::Failure;
use crate::id::DbId;
use crate::market::market_details::{find_all, incomplete};
use crate::schema::{market_states, markets};
use crate::unreadable_rows::load_page;

/// Restricts a boxed query by the constant columns of a filter. If the states are scanned in order,
/// the index of the category must not be used, since all of its markets would be collected and
/// sorted; the few of one creator may be.
macro_rules! narrowed {
    ($query:expr, $filter:expr, $order:expr) => {{
        let mut query = $query;
        if let Some(category) = &$filter.category {
            query = match $order {
                IndexOrder::States => {
                    query.filter(markets::category.concat("").eq(category.clone()))
                }
                _ => query.filter(markets::category.eq(category.clone())),
            };
        }
        if let Some(creator_id) = $filter.creator_id {
            query = query.filter(markets::creator_id.eq(DbId::from(creator_id)));
        }
        query
    }};
}

/// Restricts a boxed query with the states by a filter. If the index of the states is not the one
/// in order, it must not be used: a database without statistics would collect all markets of a
/// phase by it, and sort them.
macro_rules! narrowed_with_states {
    ($query:expr, $filter:expr, $order:expr) => {{
        let query = narrowed!($query, $filter, $order);
        let is_in = |phase: Phase| market_states::phase.eq(phase.as_str());
        let is_found_in = |phase: Phase| market_states::phase.concat("").eq(phase.as_str());
        match ($filter.phase, $order) {
            (None, _) => query,
            (Some((Phase::Closed, now)), _) => {
                let has_ended = is_found_in(Phase::Open).and(markets::ends_at_us.le(now.micros()));
                query.filter(is_found_in(Phase::Closed).or(has_ended))
            }
            (Some((Phase::Open, now)), IndexOrder::States | IndexOrder::Any) => {
                query.filter(is_in(Phase::Open)).filter(markets::ends_at_us.gt(now.micros()))
            }
            (Some((Phase::Open, now)), IndexOrder::Ends) => {
                query.filter(is_found_in(Phase::Open)).filter(markets::ends_at_us.gt(now.micros()))
            }
            // An index of end dates must not be used either if they are not the order.
            (Some((Phase::Open, now)), IndexOrder::Ids) => query
                .filter(is_found_in(Phase::Open))
                .filter((markets::ends_at_us + 0).gt(now.micros())),
            (Some((phase, _)), IndexOrder::States | IndexOrder::Any) => query.filter(is_in(phase)),
            (Some((phase, _)), IndexOrder::Ids | IndexOrder::Ends) => {
                query.filter(is_found_in(phase))
            }
        }
    }};
}

/// Table whose index has a list in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IndexOrder {
    /// Markets, by id.
    Ids,
    /// Markets, by end date.
    Ends,
    /// States.
    States,
    /// No index is in order.
    Any,
}

impl IndexOrder {
    fn of(filter: &MarketFilter, sort: MarketSort) -> Self {
        // The index of phases has each phase's markets by id; with a category or a creator, an
        // index of those is in order instead.
        let is_by_phase_alone =
            filter.phase.is_some() && filter.category.is_none() && filter.creator_id.is_none();
        match sort {
            MarketSort::Volume => Self::States,
            MarketSort::Newest if is_by_phase_alone => Self::States,
            MarketSort::Newest => Self::Ids,
            MarketSort::Closing => Self::Ends,
        }
    }
}

/// Returns the number of markets that match a filter.
pub(crate) fn count(
    connection: &mut Connection<'_>,
    filter: &MarketFilter,
) -> Result<i64, Failure> {
    let count = diesel::dsl::count_star;
    let total = on!(connection, |c, Db| {
        if filter.phase.is_none() {
            // Without the states, the smallest index is sufficient.
            narrowed!(markets::table.select(count()).into_boxed::<Db>(), filter, IndexOrder::Any)
                .get_result(c)
        } else {
            let all = markets::table.inner_join(market_states::table);
            narrowed_with_states!(all.select(count()).into_boxed::<Db>(), filter, IndexOrder::Any)
                .get_result(c)
        }
    });
    Ok(total?)
}

/// Returns a page of the markets that match a filter.
pub(crate) fn list(
    connection: &mut Connection<'_>,
    filter: &MarketFilter,
    sort: MarketSort,
    page: PageRequest<MarketKey>,
) -> Result<Vec<MarketDetails>, Failure> {
    snapshot(connection, |connection| {
        let load = |page: &PageRequest<MarketKey>| {
            // Two statements in one snapshot: no market changes between its rank and its details.
            let keys = keys(connection, filter, sort, *page)?;
            let ids: Vec<_> = keys.iter().map(|key| DbId::from(key.id)).collect();
            let mut found: BTreeMap<_, _> = find_all(connection, &ids)?.into_iter().collect();
            Ok(keys.into_iter().map(|key| (key, found.remove(&DbId::from(key.id)))).collect())
        };
        let market = |(key, market): (MarketKey, Option<Result<_, _>>)| {
            market.unwrap_or_else(|| Err(incomplete(key.id.into())))
        };
        load_page(page, load, |(key, _)| *key, market)
    })
}

/// Returns the keys of a page: skipped rows need not be read completely.
fn keys(
    connection: &mut Connection<'_>,
    filter: &MarketFilter,
    sort: MarketSort,
    page: PageRequest<MarketKey>,
) -> QueryResult<Vec<MarketKey>> {
    let limit = i64::from(page.limit);
    let key = match page.start {
        PageStart::First => return keys_of(connection, filter, (sort, Seek::Offset(0)), limit),
        PageStart::Offset(rows) => {
            return keys_of(connection, filter, (sort, Seek::Offset(rows)), limit);
        }
        PageStart::After(key) => key,
    };
    // Two index seeks: neither database turns the combined condition into one.
    let mut keys = keys_of(connection, filter, (sort, Seek::SameRank(key)), limit)?;
    let missing = limit.saturating_sub(i64::try_from(keys.len()).unwrap_or(limit));
    if missing > 0 {
        keys.extend(keys_of(connection, filter, (sort, Seek::LaterRank(key)), missing)?);
    }
    Ok(keys)
}

/// Start of a seek in a sorted list.
#[derive(Clone, Copy)]
enum Seek {
    /// All but the first so many.
    Offset(i64),
    /// Markets after a key with the same rank.
    SameRank(MarketKey),
    /// Markets after a key with a later rank.
    LaterRank(MarketKey),
}

fn keys_of(
    connection: &mut Connection<'_>,
    filter: &MarketFilter,
    (sort, seek): (MarketSort, Seek),
    limit: i64,
) -> QueryResult<Vec<MarketKey>> {
    let order = IndexOrder::of(filter, sort);
    let rows: Vec<(DbId, i64, i64)> = on!(connection, |c, Db| {
        let all = markets::table.inner_join(market_states::table);
        let columns = (markets::id, markets::ends_at_us, market_states::volume_minor);
        let mut query =
            narrowed_with_states!(all.select(columns).into_boxed::<Db>(), filter, order);
        query = match sort {
            MarketSort::Newest if order == IndexOrder::States => {
                query.order(market_states::market_id.desc())
            }
            MarketSort::Newest => query.order(markets::id.desc()),
            MarketSort::Closing => query.order((markets::ends_at_us, markets::id.desc())),
            MarketSort::Volume => {
                query.order((market_states::volume_minor.desc(), market_states::market_id.desc()))
            }
        };
        query = match (sort, seek) {
            (_, Seek::Offset(rows)) => query.offset(rows),
            // The rank of the newest is their id alone.
            (MarketSort::Newest, Seek::SameRank(_)) => return Ok(Vec::new()),
            (MarketSort::Newest, Seek::LaterRank(key)) if order == IndexOrder::States => {
                query.filter(market_states::market_id.lt(DbId::from(key.id)))
            }
            (MarketSort::Newest, Seek::LaterRank(key)) => {
                query.filter(markets::id.lt(DbId::from(key.id)))
            }
            (MarketSort::Closing, Seek::SameRank(key)) => query
                .filter(markets::ends_at_us.eq(key.rank))
                .filter(markets::id.lt(DbId::from(key.id))),
            (MarketSort::Closing, Seek::LaterRank(key)) => {
                query.filter(markets::ends_at_us.gt(key.rank))
            }
            (MarketSort::Volume, Seek::SameRank(key)) => query
                .filter(market_states::volume_minor.eq(key.rank))
                .filter(market_states::market_id.lt(DbId::from(key.id))),
            (MarketSort::Volume, Seek::LaterRank(key)) => {
                query.filter(market_states::volume_minor.lt(key.rank))
            }
        };
        query.limit(limit).load(c)
    })?;
    let key = |(id, ends_at_us, volume_minor): (DbId, i64, i64)| {
        let rank = match sort {
            MarketSort::Newest => 0,
            MarketSort::Closing => ends_at_us,
            MarketSort::Volume => volume_minor,
        };
        MarketKey { rank, id: id.into() }
    };
    Ok(rows.into_iter().map(key).collect())
}
