//! The tables `markets`, `market_states` and `market_options` as units of work write them.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use foretell_domain::id::MarketId;
use foretell_domain::market::{Market, MarketRecord, MarketTexts, OptionState, Phase};
use foretell_domain::money::{Amount, Balance};
use foretell_domain::probability::Probability;
use foretell_domain::shares::Shares;
use foretell_domain::time::Timestamp;
use foretell_ports::market::NewMarket;
use foretell_ports::unit::Locked;

use crate::connection::{Connection, on};
use crate::dialect::{bulk_market, look_up};
use crate::error::{Failure, StoredRow, expect_saved};
use crate::id::{DbId, db_ids};
use crate::schema::{market_options, market_states, markets};

/// Columns of a market that its rules need.
#[derive(Queryable, Selectable)]
#[diesel(table_name = markets)]
pub(crate) struct MarketRow {
    pub(crate) id: DbId,
    creator_id: DbId,
    creator_account_id: DbId,
    ends_at_us: i64,
    subsidy_minor: i64,
    fee_bps: i32,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = market_states)]
pub(crate) struct StateRow {
    pub(crate) phase: String,
    pub(crate) fees_minor: i64,
    pub(crate) volume_minor: i64,
    pub(crate) stakes_minor: i64,
    pub(crate) bet_count: i64,
    pub(crate) version: i64,
    pub(crate) updated_at_us: i64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = market_options)]
pub(crate) struct OptionRow {
    pub(crate) market_id: DbId,
    pub(crate) option_index: i32,
    pub(crate) id: DbId,
    pub(crate) name: String,
    initial_probability: f64,
    outstanding_units: i64,
}

/// Rows of one market.
pub(crate) struct MarketRows<'a> {
    pub(crate) market: &'a MarketRow,
    pub(crate) state: &'a StateRow,
    pub(crate) options: &'a [OptionRow],
}

impl TryFrom<MarketRows<'_>> for Market {
    type Error = Failure;

    fn try_from(rows: MarketRows<'_>) -> Result<Self, Failure> {
        let MarketRows { market, state, options } = rows;
        let stored = StoredRow { table: "markets", id: market.id };
        let stored_state = StoredRow { table: "market_states", id: market.id };
        let options: Result<Vec<_>, _> = (0..).zip(options).map(option_state).collect();
        let record = MarketRecord {
            id: market.id.into(),
            creator_id: market.creator_id.into(),
            creator_account_id: market.creator_account_id.into(),
            ends_at: stored.time("ends_at_us", market.ends_at_us)?,
            phase: stored_state.named("phase", Phase::from_name(&state.phase))?,
            subsidy: stored.convert("subsidy_minor", Amount::new(market.subsidy_minor))?,
            fee_bps: stored.convert("fee_bps", u16::try_from(market.fee_bps))?,
            options: options?,
            fees: Balance::from_minor(state.fees_minor),
            volume: Balance::from_minor(state.volume_minor),
            stakes: Balance::from_minor(state.stakes_minor),
            bet_count: state.bet_count,
            version: state.version,
        };
        stored.convert("options", Self::restore(record))
    }
}

fn option_state((expected_index, row): (i32, &OptionRow)) -> Result<OptionState, Failure> {
    let stored = StoredRow { table: "market_options", id: row.id };
    // Bets and positions refer to options by index: a gap would assign them to the wrong option.
    let is_next =
        if row.option_index == expected_index { Ok(()) } else { Err("an option is left out") };
    stored.convert("option_index", is_next)?;
    Ok(OptionState {
        id: row.id.into(),
        initial: stored
            .convert("initial_probability", Probability::new(row.initial_probability))?,
        outstanding: stored.convert("outstanding_units", Shares::new(row.outstanding_units))?,
    })
}

/// Inserted columns of a market.
#[derive(Insertable, Clone, Copy)]
#[diesel(table_name = markets, treat_none_as_default_value = false)]
pub(crate) struct NewMarketRow<'a> {
    pub(crate) id: DbId,
    pub(crate) creator_id: DbId,
    pub(crate) creator_account_id: DbId,
    pub(crate) name: &'a str,
    pub(crate) description: &'a str,
    pub(crate) category: &'a str,
    pub(crate) ends_at_us: i64,
    pub(crate) subsidy_minor: i64,
    pub(crate) fee_bps: i32,
    pub(crate) created_at_us: i64,
}

impl<'a> From<&'a NewMarket> for NewMarketRow<'a> {
    fn from(new: &'a NewMarket) -> Self {
        let record = new.market.record();
        Self {
            id: record.id.into(),
            creator_id: record.creator_id.into(),
            creator_account_id: record.creator_account_id.into(),
            name: new.texts.name.as_str(),
            description: new.texts.description.as_str(),
            category: new.texts.category.as_str(),
            ends_at_us: record.ends_at.micros(),
            subsidy_minor: record.subsidy.minor(),
            fee_bps: i32::from(record.fee_bps),
            created_at_us: new.created_at.micros(),
        }
    }
}

/// Inserted and saved columns of a market's state.
#[derive(Insertable, Clone, Copy)]
#[diesel(table_name = market_states, treat_none_as_default_value = false)]
pub(crate) struct NewStateRow {
    pub(crate) market_id: DbId,
    pub(crate) phase: &'static str,
    pub(crate) fees_minor: i64,
    pub(crate) volume_minor: i64,
    pub(crate) stakes_minor: i64,
    pub(crate) bet_count: i64,
    pub(crate) version: i64,
    pub(crate) updated_at_us: i64,
    /// Creator of the market, repeated for the index of each creator's open markets.
    pub(crate) creator_id: DbId,
}

impl NewStateRow {
    fn new(record: &MarketRecord, at: Timestamp) -> Self {
        Self {
            market_id: record.id.into(),
            phase: record.phase.as_str(),
            fees_minor: record.fees.minor(),
            volume_minor: record.volume.minor(),
            stakes_minor: record.stakes.minor(),
            bet_count: record.bet_count,
            version: record.version,
            updated_at_us: at.micros(),
            creator_id: record.creator_id.into(),
        }
    }
}

/// Inserted columns of an option.
#[derive(Insertable, Clone, Copy)]
#[diesel(table_name = market_options, treat_none_as_default_value = false)]
pub(crate) struct NewOptionRow<'a> {
    pub(crate) market_id: DbId,
    pub(crate) option_index: i32,
    pub(crate) id: DbId,
    pub(crate) name: &'a str,
    pub(crate) initial_probability: f64,
    pub(crate) outstanding_units: i64,
}

/// Saved columns of an option.
#[derive(Clone, Copy)]
pub(crate) struct OutstandingRow {
    pub(crate) market_id: DbId,
    pub(crate) option_index: i32,
    pub(crate) outstanding_units: i64,
}

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
