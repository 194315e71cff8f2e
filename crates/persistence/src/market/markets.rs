//! The tables `markets`, `market_states` and `market_options` as units of work write them.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use foretell_domain::id::MarketId;
use foretell_domain::market::{Market, MarketRecord, MarketTexts};
use foretell_domain::time::Timestamp;
use foretell_ports::market::NewMarket;
use foretell_ports::unit::Locked;

use crate::connection::{Connection, on};
use crate::dialect::{bulk_market, look_up};
use crate::error::{Failure, StoredRow, expect_saved};
use crate::id::{DbId, db_ids};
use crate::market::market_rows::{
    MarketRow, MarketRows, NewMarketRow, NewOptionRow, NewStateRow, OptionRow, OutstandingRow,
    StateRow,
};
use crate::schema::{market_options, market_states, markets};

/// Inserts markets with their options.
pub(crate) fn insert(connection: &mut Connection<'_>, new: &[NewMarket]) -> Result<(), Failure> {
    let markets: Vec<_> = new.iter().map(NewMarketRow::from).collect();
    let state = |new: &NewMarket| NewStateRow::new(new.market.record(), new.created_at);
    let states: Vec<_> = new.iter().map(state).collect();
    let options: Vec<_> = new.iter().flat_map(new_options).collect();
    // Markets first: the other two tables have foreign keys to them.
    bulk_market::insert_markets(connection, &markets)?;
    bulk_market::insert_states(connection, &states)?;
    bulk_market::insert_options(connection, &options)?;
    Ok(())
}

fn new_options(new: &NewMarket) -> impl Iterator<Item = NewOptionRow<'_>> {
    let record = new.market.record();
    let rows = (0..).zip(record.options.iter().zip(new.texts.options()));
    rows.map(move |(option_index, (option, name))| NewOptionRow {
        market_id: record.id.into(),
        option_index,
        id: option.id.into(),
        name: name.as_str(),
        initial_probability: option.initial.get(),
        outstanding_units: option.outstanding.units(),
    })
}

/// Locks the markets among `ids` that exist and returns them, both in ascending order.
pub(crate) fn lock(
    connection: &mut Connection<'_>,
    ids: &BTreeSet<MarketId>,
) -> Result<Vec<Locked<Market>>, Failure> {
    let ids = db_ids(ids.iter().copied());
    let states = look_up::lock_states(connection, &ids)?;
    // Read after the states are locked, so that no other unit can change them.
    let found = options_by_market(connection, &ids)?;
    let locked = |(id, state): &(DbId, StateRow)| {
        let stored = StoredRow { table: "market_states", id: *id };
        let (market, options) =
            stored.convert("market_id", found.get(id).ok_or("it has no options"))?;
        Ok(Locked::assume(Market::try_from(MarketRows { market, state, options })?))
    };
    states.iter().map(locked).collect()
}

/// Returns markets with their options, each market's in order.
fn options_by_market(
    connection: &mut Connection<'_>,
    markets: &[DbId],
) -> Result<BTreeMap<DbId, (MarketRow, Vec<OptionRow>)>, Failure> {
    let mut found: BTreeMap<DbId, (MarketRow, Vec<OptionRow>)> = BTreeMap::new();
    for (market, option) in look_up::options(connection, markets)? {
        found.entry(market.id).or_insert_with(|| (market, Vec::new())).1.push(option);
    }
    Ok(found)
}

/// Stores the state of locked markets.
pub(crate) fn save(
    connection: &mut Connection<'_>,
    markets: &[&Locked<Market>],
    at: Timestamp,
) -> Result<(), Failure> {
    let states: Vec<_> =
        markets.iter().map(|market| NewStateRow::new(market.record(), at)).collect();
    let saved = bulk_market::save_states(connection, &states)?;
    expect_saved("market_states", states.len(), saved)?;
    let options: Vec<_> = markets.iter().flat_map(|market| outstanding(market.record())).collect();
    // Options that have not changed are skipped. The lock on the market has proven that all exist.
    bulk_market::save_options(connection, &options)?;
    Ok(())
}

/// Stores name, description and end date of a locked market.
pub(crate) fn save_market_texts(
    connection: &mut Connection<'_>,
    market: &Locked<Market>,
    texts: &MarketTexts,
) -> Result<(), Failure> {
    // These columns change only under the lock on the state, which orders edits and bets (ADR
    // 0016).
    let changes = (
        markets::name.eq(texts.name.as_str()),
        markets::description.eq(texts.description.as_str()),
        markets::ends_at_us.eq(market.record().ends_at.micros()),
    );
    let saved = on!(connection, |c| {
        diesel::update(markets::table.find(DbId::from(market.id()))).set(changes).execute(c)
    })?;
    expect_saved("markets", 1, saved)
}

/// Deletes a locked market with its options; foreign keys delete the comments.
pub(crate) fn delete(
    connection: &mut Connection<'_>,
    market: &Locked<Market>,
) -> Result<(), Failure> {
    let id = DbId::from(market.id());
    let options = market_options::table.filter(market_options::market_id.eq(id));
    let deleted = on!(connection, |c| {
        // Options and state first: their foreign keys refer to the market.
        diesel::delete(options).execute(c)?;
        diesel::delete(market_states::table.find(id)).execute(c)?;
        diesel::delete(markets::table.find(id)).execute(c)
    })?;
    expect_saved("markets", 1, deleted)
}

fn outstanding(record: &MarketRecord) -> impl Iterator<Item = OutstandingRow> {
    (0..).zip(&record.options).map(|(option_index, option)| OutstandingRow {
        market_id: record.id.into(),
        option_index,
        outstanding_units: option.outstanding.units(),
    })
}
