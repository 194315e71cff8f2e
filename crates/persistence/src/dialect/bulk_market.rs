//! Bulk writes of markets, like those of the ledger in [`super::bulk_ledger`].

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Double, Integer, Nullable, Text};

use super::{column, sum_of};
use crate::connection::Connection;
use crate::id::Id;
use crate::market::bets::NewBetRow;
use crate::market::markets::{NewMarketRow, NewOptionRow, NewStateRow, OutstandingRow};
use crate::market::positions::PositionRow;
use crate::market::settlements::PayoutRow;
use crate::prepared::prepared;
use crate::schema::{bets, market_options, market_states, markets, payouts};

const INSERT_MARKETS: &str = "INSERT INTO markets
    (id, creator_id, creator_account_id, name, description, category, ends_at_us, subsidy_minor, fee_bps,
    created_at_us)
    SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

const INSERT_STATES: &str = "INSERT INTO market_states
    (market_id, phase, fees_minor, volume_minor, stakes_minor, bet_count, version, updated_at_us, creator_id)
    SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?)";

const INSERT_OPTIONS: &str = "INSERT INTO market_options
    (market_id, option_index, id, name, initial_probability, outstanding_units)
    SELECT * FROM unnest(?, ?, ?, ?, ?, ?)";

const SAVE_STATES: &str = "UPDATE market_states
    SET phase = new.phase, fees_minor = new.fees_minor, volume_minor = new.volume_minor,
    stakes_minor = new.stakes_minor, bet_count = new.bet_count, version = new.version,
    updated_at_us = new.updated_at_us, creator_id = new.creator_id
    FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?) AS new (market_id, phase, fees_minor, volume_minor,
    stakes_minor, bet_count, version, updated_at_us, creator_id)
    WHERE market_states.market_id = new.market_id";

const SAVE_STATE: &str = "UPDATE market_states
    SET phase = ?, fees_minor = ?, volume_minor = ?, stakes_minor = ?, bet_count = ?, version = ?,
    updated_at_us = ?, creator_id = ? WHERE market_id = ?";

// Unchanged options are skipped: an update would write their rows again.
const SAVE_OPTIONS: &str = "UPDATE market_options SET outstanding_units = new.outstanding_units
    FROM unnest(?, ?, ?) AS new (market_id, option_index, outstanding_units)
    WHERE market_options.market_id = new.market_id AND market_options.option_index = new.option_index
    AND market_options.outstanding_units <> new.outstanding_units";

const SAVE_OPTION: &str = "UPDATE market_options SET outstanding_units = ?
    WHERE market_id = ? AND option_index = ? AND outstanding_units <> ?";

const INSERT_BETS: &str = "INSERT INTO bets
    (id, client_id, market_id, sequence, market_version, user_id, account_id, transfer_id, option_id, option_index, side,
    cash_minor, fee_minor, shares_units, prices_before, prices_after, created_at_us)
    SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

// The first trade of a trader inserts the row, later ones update it.
const SAVE_POSITIONS: &str = "INSERT INTO positions
    (market_id, account_id, option_index, shares_units, spent_minor, received_minor)
    SELECT * FROM unnest(?, ?, ?, ?, ?, ?)
    ON CONFLICT (market_id, account_id, option_index) DO UPDATE
    SET shares_units = excluded.shares_units, spent_minor = excluded.spent_minor,
    received_minor = excluded.received_minor";

const SAVE_POSITION: &str = "INSERT INTO positions
    (market_id, account_id, option_index, shares_units, spent_minor, received_minor)
    VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (market_id, account_id, option_index) DO UPDATE
    SET shares_units = excluded.shares_units, spent_minor = excluded.spent_minor,
    received_minor = excluded.received_minor";

const INSERT_PAYOUTS: &str = "INSERT INTO payouts (market_id, account_id, amount_minor, created_at_us)
    SELECT * FROM unnest(?, ?, ?, ?)";

/// Inserts the constant columns of markets.
pub(crate) fn insert_markets(
    connection: &mut Connection<'_>,
    rows: &[NewMarketRow<'_>],
) -> QueryResult<usize> {
    match connection {
        Connection::Sqlite(c) => {
            sum_of(rows, |row| diesel::insert_into(markets::table).values(*row).execute(*c))
        }
        Connection::Postgres(c) => prepared(INSERT_MARKETS)
            .bind::<Array<Id>, _>(column(rows, |row| row.id))
            .bind::<Array<Id>, _>(column(rows, |row| row.creator_id))
            .bind::<Array<Id>, _>(column(rows, |row| row.creator_account_id))
            .bind::<Array<Text>, _>(column(rows, |row| row.name))
            .bind::<Array<Text>, _>(column(rows, |row| row.description))
            .bind::<Array<Text>, _>(column(rows, |row| row.category))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.ends_at_us))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.subsidy_minor))
            .bind::<Array<Integer>, _>(column(rows, |row| row.fee_bps))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.created_at_us))
            .execute(*c),
    }
}

/// Inserts the states of new markets.
pub(crate) fn insert_states(connection: &mut Connection<'_>, rows: &[NewStateRow]) -> QueryResult<usize> {
    match connection {
        Connection::Sqlite(c) => {
            sum_of(rows, |row| diesel::insert_into(market_states::table).values(*row).execute(*c))
        }
        Connection::Postgres(c) => run_states(c, INSERT_STATES, rows),
    }
}

/// Stores the states of markets, and returns the number saved.
pub(crate) fn save_states(connection: &mut Connection<'_>, rows: &[NewStateRow]) -> QueryResult<usize> {
    match connection {
        Connection::Sqlite(c) => sum_of(rows, |row| {
            prepared(SAVE_STATE)
                .bind::<Text, _>(row.phase)
                .bind::<BigInt, _>(row.fees_minor)
                .bind::<BigInt, _>(row.volume_minor)
                .bind::<BigInt, _>(row.stakes_minor)
                .bind::<BigInt, _>(row.bet_count)
                .bind::<BigInt, _>(row.version)
                .bind::<BigInt, _>(row.updated_at_us)
                .bind::<Id, _>(row.creator_id)
                .bind::<Id, _>(row.market_id)
                .execute(*c)
        }),
        Connection::Postgres(c) => run_states(c, SAVE_STATES, rows),
    }
}

fn run_states(c: &mut PgConnection, statement: &'static str, rows: &[NewStateRow]) -> QueryResult<usize> {
    prepared(statement)
        .bind::<Array<Id>, _>(column(rows, |row| row.market_id))
        .bind::<Array<Text>, _>(column(rows, |row| row.phase))
        .bind::<Array<BigInt>, _>(column(rows, |row| row.fees_minor))
        .bind::<Array<BigInt>, _>(column(rows, |row| row.volume_minor))
        .bind::<Array<BigInt>, _>(column(rows, |row| row.stakes_minor))
        .bind::<Array<BigInt>, _>(column(rows, |row| row.bet_count))
        .bind::<Array<BigInt>, _>(column(rows, |row| row.version))
        .bind::<Array<BigInt>, _>(column(rows, |row| row.updated_at_us))
        .bind::<Array<Id>, _>(column(rows, |row| row.creator_id))
        .execute(c)
}

/// Inserts the options of new markets.
pub(crate) fn insert_options(
    connection: &mut Connection<'_>,
    rows: &[NewOptionRow<'_>],
) -> QueryResult<usize> {
    match connection {
        Connection::Sqlite(c) => {
            sum_of(rows, |row| diesel::insert_into(market_options::table).values(*row).execute(*c))
        }
        Connection::Postgres(c) => prepared(INSERT_OPTIONS)
            .bind::<Array<Id>, _>(column(rows, |row| row.market_id))
            .bind::<Array<Integer>, _>(column(rows, |row| row.option_index))
            .bind::<Array<Id>, _>(column(rows, |row| row.id))
            .bind::<Array<Text>, _>(column(rows, |row| row.name))
            .bind::<Array<Double>, _>(column(rows, |row| row.initial_probability))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.outstanding_units))
            .execute(*c),
    }
}

/// Stores the outstanding shares of changed options, and returns the number saved.
pub(crate) fn save_options(connection: &mut Connection<'_>, rows: &[OutstandingRow]) -> QueryResult<usize> {
    match connection {
        Connection::Sqlite(c) => sum_of(rows, |row| {
            prepared(SAVE_OPTION)
                .bind::<BigInt, _>(row.outstanding_units)
                .bind::<Id, _>(row.market_id)
                .bind::<Integer, _>(row.option_index)
                .bind::<BigInt, _>(row.outstanding_units)
                .execute(*c)
        }),
        Connection::Postgres(c) => prepared(SAVE_OPTIONS)
            .bind::<Array<Id>, _>(column(rows, |row| row.market_id))
            .bind::<Array<Integer>, _>(column(rows, |row| row.option_index))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.outstanding_units))
            .execute(*c),
    }
}

/// Inserts bets.
pub(crate) fn insert_bets(connection: &mut Connection<'_>, rows: &[NewBetRow<'_>]) -> QueryResult<usize> {
    match connection {
        Connection::Sqlite(c) => sum_of(rows, |row| diesel::insert_into(bets::table).values(row).execute(*c)),
        Connection::Postgres(c) => prepared(INSERT_BETS)
            .bind::<Array<Id>, _>(column(rows, |row| row.id))
            .bind::<Array<Nullable<Id>>, _>(column(rows, |row| row.client_id))
            .bind::<Array<Id>, _>(column(rows, |row| row.market_id))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.sequence))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.market_version))
            .bind::<Array<Id>, _>(column(rows, |row| row.user_id))
            .bind::<Array<Id>, _>(column(rows, |row| row.account_id))
            .bind::<Array<Id>, _>(column(rows, |row| row.transfer_id))
            .bind::<Array<Id>, _>(column(rows, |row| row.option_id))
            .bind::<Array<Integer>, _>(column(rows, |row| row.option_index))
            .bind::<Array<Text>, _>(column(rows, |row| row.side))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.cash_minor))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.fee_minor))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.shares_units))
            .bind::<Array<Binary>, _>(column(rows, |row| row.prices_before.as_slice()))
            .bind::<Array<Binary>, _>(column(rows, |row| row.prices_after.as_slice()))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.created_at_us))
            .execute(*c),
    }
}

/// Inserts or replaces positions, whose keys are distinct.
pub(crate) fn save_positions(connection: &mut Connection<'_>, rows: &[PositionRow]) -> QueryResult<usize> {
    match connection {
        Connection::Sqlite(c) => sum_of(rows, |row| {
            prepared(SAVE_POSITION)
                .bind::<Id, _>(row.market_id)
                .bind::<Id, _>(row.account_id)
                .bind::<Integer, _>(row.option_index)
                .bind::<BigInt, _>(row.shares_units)
                .bind::<BigInt, _>(row.spent_minor)
                .bind::<BigInt, _>(row.received_minor)
                .execute(*c)
        }),
        Connection::Postgres(c) => prepared(SAVE_POSITIONS)
            .bind::<Array<Id>, _>(column(rows, |row| row.market_id))
            .bind::<Array<Id>, _>(column(rows, |row| row.account_id))
            .bind::<Array<Integer>, _>(column(rows, |row| row.option_index))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.shares_units))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.spent_minor))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.received_minor))
            .execute(*c),
    }
}

/// Inserts the claims of a settlement.
pub(crate) fn insert_payouts(connection: &mut Connection<'_>, rows: &[PayoutRow]) -> QueryResult<usize> {
    match connection {
        Connection::Sqlite(c) => {
            sum_of(rows, |row| diesel::insert_into(payouts::table).values(*row).execute(*c))
        }
        Connection::Postgres(c) => prepared(INSERT_PAYOUTS)
            .bind::<Array<Id>, _>(column(rows, |row| row.market_id))
            .bind::<Array<Id>, _>(column(rows, |row| row.account_id))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.amount_minor))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.created_at_us))
            .execute(*c),
    }
}
