//! Rows of the tables `markets`, `market_states` and `market_options`.

use diesel::prelude::*;
use foretell_domain::market::{Market, MarketRecord, OptionState, Phase};
use foretell_domain::money::{Amount, Balance};
use foretell_domain::probability::Probability;
use foretell_domain::shares::Shares;
use foretell_domain::time::Timestamp;
use foretell_ports::market::NewMarket;

use crate::error::{Failure, StoredRow};
use crate::id::DbId;
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
    pub(crate) revision: i64,
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
            revision: state.revision,
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
    pub(crate) revision: i64,
}

impl NewStateRow {
    pub(crate) fn new(record: &MarketRecord, at: Timestamp) -> Self {
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
            revision: record.revision,
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
