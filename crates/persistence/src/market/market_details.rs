//! Markets as they are read: the tables of [`crate::market::markets`] joined with the pot.

use std::collections::BTreeMap;

use diesel::prelude::*;
use foretell_domain::id::MarketId;
use foretell_domain::market::{Market, MarketTexts};
use foretell_domain::money::Balance;
use foretell_domain::text::{Category, MarketDescription, MarketName, OptionName};
use foretell_ports::market::MarketDetails;

use crate::connection::{Connection, on};
use crate::dialect::content::is_among;
use crate::error::{Failure, StoredRow};
use crate::id::DbId;
use crate::market::market_rows::{MarketRow, MarketRows, OptionRow, StateRow};
use crate::schema::{accounts, market_options, market_states, markets};
use crate::unreadable_rows::skip_unreadable;

/// Texts of a market, except the names of its options.
#[derive(Queryable, Selectable)]
#[diesel(table_name = markets)]
struct TextsRow {
    name: String,
    description: String,
    category: String,
    created_at_us: i64,
}

/// A market without its options. One statement reads both it and the pot, so they are of one
/// snapshot.
type DetailsRow = (MarketRow, StateRow, TextsRow, Option<i64>);

/// A market with one of its options.
type FoundRow = (MarketRow, StateRow, TextsRow, Option<i64>, OptionRow);

fn details(row: DetailsRow, options: &[OptionRow]) -> Result<MarketDetails, Failure> {
    let (market, state, texts, pot_minor) = row;
    let stored = StoredRow { table: "markets", id: market.id };
    let names = options.iter().map(|option| OptionName::restore(option.name.as_str())).collect();
    let (created_at_us, updated_at_us) = (texts.created_at_us, state.updated_at_us);
    let texts = MarketTexts::restore(
        MarketName::restore(texts.name),
        MarketDescription::restore(texts.description),
        Category::restore(texts.category),
        names,
    );
    Ok(MarketDetails {
        market: Market::try_from(MarketRows { market: &market, state: &state, options })?,
        texts,
        pot: Balance::from_minor(pot_minor.unwrap_or(0)),
        created_at: stored.time("created_at_us", created_at_us)?,
        updated_at: StoredRow { table: "market_states", ..stored }
            .time("updated_at_us", updated_at_us)?,
    })
}

/// Joins the tables of a market.
macro_rules! joined {
    () => {
        markets::table
            .inner_join(market_states::table)
            .left_join(accounts::table.on(accounts::id.eq(markets::id)))
    };
}

/// The columns of a [`FoundRow`].
macro_rules! columns {
    () => {
        (
            MarketRow::as_select(),
            StateRow::as_select(),
            TextsRow::as_select(),
            accounts::balance_minor.nullable(),
            OptionRow::as_select(),
        )
    };
}

/// A market, or the reason why its rows are unreadable.
pub(crate) type FoundMarket = (DbId, Result<MarketDetails, Failure>);

/// Returns the market with this id.
pub(crate) fn find(
    connection: &mut Connection<'_>,
    id: MarketId,
) -> Result<Option<MarketDetails>, Failure> {
    if let Some((_, market)) = find_all(connection, &[id.into()])?.pop() {
        return market.map(Some);
    }
    // The query above joins all tables: it does not find a market whose options or state are
    // missing.
    let row = markets::table.find(DbId::from(id)).select(markets::id);
    let is_there: Option<DbId> = on!(connection, |c| row.first(c).optional())?;
    is_there.map_or(Ok(None), |id| Err(incomplete(id)))
}

/// Returns the failure of a market whose state or options are missing.
pub(crate) fn incomplete(id: DbId) -> Failure {
    let cause = "the market has no state or no options".into();
    Failure::Corrupt { table: "markets", column: "id", id: id.to_string(), cause }
}

/// Returns the markets with these ids whose rows are readable.
pub(crate) fn find_readable(
    connection: &mut Connection<'_>,
    ids: &[DbId],
) -> Result<Vec<MarketDetails>, Failure> {
    skip_unreadable(find_all(connection, ids)?.into_iter().map(|(_, market)| market))
}

/// Returns the version of the market with this id.
pub(crate) fn find_version(
    connection: &mut Connection<'_>,
    id: MarketId,
) -> Result<Option<i64>, Failure> {
    let version = market_states::table.find(DbId::from(id)).select(market_states::version);
    Ok(on!(connection, |c| version.first(c).optional())?)
}

/// Returns the details of a market that certainly exists.
pub(crate) fn get(connection: &mut Connection<'_>, id: MarketId) -> Result<MarketDetails, Failure> {
    let stored = StoredRow { table: "markets", id: DbId::from(id) };
    stored.convert("id", find(connection, id)?.ok_or("a locked market is not there"))
}

/// Returns the markets with these ids, in order. Each is read with its options by one statement,
/// since outstanding shares change.
pub(crate) fn find_all(
    connection: &mut Connection<'_>,
    ids: &[DbId],
) -> Result<Vec<FoundMarket>, Failure> {
    let mut markets: BTreeMap<DbId, (DetailsRow, Vec<OptionRow>)> = BTreeMap::new();
    for (market, state, texts, pot_minor, option) in load(connection, ids)? {
        let details = || ((market, state, texts, pot_minor), Vec::new());
        markets.entry(option.market_id).or_insert_with(details).1.push(option);
    }
    let found = ids.iter().filter_map(|id| Some((*id, markets.remove(id)?)));
    let in_order = |(id, (row, mut options)): (DbId, (DetailsRow, Vec<OptionRow>))| {
        options.sort_by_key(|option| option.option_index);
        (id, details(row, &options))
    };
    Ok(found.map(in_order).collect())
}

/// Returns the rows of markets, one for each option, in any order.
fn load(connection: &mut Connection<'_>, ids: &[DbId]) -> QueryResult<Vec<FoundRow>> {
    let rows = joined!().inner_join(market_options::table);
    match connection {
        Connection::Sqlite(c) => {
            rows.filter(is_among(markets::id, ids)).select(columns!()).load(*c)
        }
        Connection::Postgres(c) => rows.filter(markets::id.eq_any(ids)).select(columns!()).load(*c),
    }
}
