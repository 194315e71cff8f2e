//! Markets as they are read and listed: the tables of [`crate::markets`] with the pot.

use diesel::prelude::*;
use foretell_domain::id::MarketId;
use foretell_domain::market::{Listing, Market, Phase};
use foretell_domain::money::Balance;
use foretell_domain::text::{Category, MarketDescription, MarketName, OptionName};
use foretell_domain::time::Timestamp;
use foretell_ports::market::{MarketDetails, MarketFilter, MarketSort};
use foretell_ports::page::{Page, PageRequest};

use crate::connection::{Connection, on};
use crate::dialect::transaction::snapshot;
use crate::error::{Failure, StoredRow};
use crate::id::DbId;
use crate::markets::{MarketRow, MarketRows, OptionRow, StateRow, options_by_market};
use crate::schema::{accounts, market_options, market_states, markets};

/// What people read of a market, beside its options' names.
#[derive(Queryable, Selectable)]
#[diesel(table_name = markets)]
struct ListingRow {
    name: String,
    description: String,
    category: String,
    created_at_us: i64,
}

/// A market without its options. The pot is that of the same moment, since one statement reads both.
type DetailsRow = (MarketRow, StateRow, ListingRow, Option<i64>);

fn details(row: DetailsRow, options: &[OptionRow]) -> Result<MarketDetails, Failure> {
    let (market, state, listing, pot_minor) = row;
    let stored = StoredRow { table: "markets", id: market.id };
    let names: Result<Vec<_>, _> =
        options.iter().map(|option| OptionName::new(option.name.as_str())).collect();
    let (created_at_us, updated_at_us) = (listing.created_at_us, state.updated_at_us);
    let listing = Listing::new(
        stored.convert("name", MarketName::new(listing.name))?,
        stored.convert("description", MarketDescription::new(listing.description))?,
        stored.convert("category", Category::new(listing.category))?,
        stored.convert("options", names)?,
    );
    Ok(MarketDetails {
        market: Market::try_from(MarketRows { market: &market, state: &state, options })?,
        listing: stored.convert("options", listing)?,
        pot: Balance::from_minor(pot_minor.unwrap_or(0)),
        created_at: Timestamp::from_micros(created_at_us),
        updated_at: Timestamp::from_micros(updated_at_us),
    })
}

/// Joins what a market is made of.
macro_rules! joined {
    () => {
        markets::table
            .inner_join(market_states::table)
            .left_join(accounts::table.on(accounts::id.eq(markets::id)))
    };
}

/// The columns of a [`DetailsRow`], and what is wanted beside them.
macro_rules! columns {
    ($(, $more:expr)?) => {
        (
            MarketRow::as_select(),
            StateRow::as_select(),
            ListingRow::as_select(),
            accounts::balance_minor.nullable(),
            $($more)?
        )
    };
}

/// Narrows a boxed query to a filter.
macro_rules! narrowed {
    ($query:expr, $filter:expr) => {{
        let mut query = $query;
        if let Some(category) = &$filter.category {
            query = query.filter(markets::category.eq(category.clone()));
        }
        if let Some(creator_id) = $filter.creator_id {
            query = query.filter(markets::creator_id.eq(DbId::from(creator_id)));
        }
        let is_in = |phase: Phase| market_states::phase.eq(phase.as_str());
        match $filter.phase {
            None => query,
            Some((Phase::Open, now)) => {
                query.filter(is_in(Phase::Open)).filter(markets::ends_at_us.gt(now.micros()))
            }
            Some((Phase::Closed, now)) => {
                let has_ended = is_in(Phase::Open).and(markets::ends_at_us.le(now.micros()));
                query.filter(is_in(Phase::Closed).or(has_ended))
            }
            Some((phase, _)) => query.filter(is_in(phase)),
        }
    }};
}

/// The market with this id, read with its options in one statement: what is outstanding changes.
pub(crate) fn find(connection: &mut Connection<'_>, id: MarketId) -> Result<Option<MarketDetails>, Failure> {
    let found: Vec<(MarketRow, StateRow, ListingRow, Option<i64>, OptionRow)> = on!(connection, |c| {
        joined!()
            .inner_join(market_options::table)
            .filter(markets::id.eq(DbId::from(id)))
            .order(market_options::option_index)
            .select(columns!(, OptionRow::as_select()))
            .load(c)
    })?;
    let split = |(market, state, listing, pot_minor, option)| ((market, state, listing, pot_minor), option);
    let (mut rows, options): (Vec<DetailsRow>, Vec<OptionRow>) = found.into_iter().map(split).unzip();
    rows.pop().map(|row| details(row, &options)).transpose()
}

/// A page of markets; ties are broken by id, the newest first.
pub(crate) fn page(
    connection: &mut Connection<'_>,
    filter: &MarketFilter,
    sort: MarketSort,
    page: PageRequest,
) -> Result<Page<MarketDetails>, Failure> {
    snapshot(connection, |connection| {
        let total: i64 = on!(connection, |c, Db| {
            let all = markets::table.inner_join(market_states::table);
            narrowed!(all.select(diesel::dsl::count_star()).into_boxed::<Db>(), filter).get_result(c)
        })?;
        let found: Vec<DetailsRow> = on!(connection, |c, Db| {
            let query = narrowed!(joined!().select(columns!()).into_boxed::<Db>(), filter);
            let sorted = match sort {
                MarketSort::Newest => query.order(markets::id.desc()),
                MarketSort::Closing => query.order((markets::ends_at_us, markets::id.desc())),
                MarketSort::Volume => {
                    query.order((market_states::volume_minor.desc(), market_states::market_id.desc()))
                }
            };
            sorted.limit(i64::from(page.limit())).offset(page.offset()).load(c)
        })?;
        let ids: Vec<_> = found.iter().map(|(market, ..)| market.id).collect();
        let options = options_by_market(connection, &ids)?;
        let with_options = |row: DetailsRow| {
            let options = options.get(&row.0.id).map_or(&[][..], Vec::as_slice);
            details(row, options)
        };
        let rows: Result<_, _> = found.into_iter().map(with_options).collect();
        Ok(Page { rows: rows?, total })
    })
}
