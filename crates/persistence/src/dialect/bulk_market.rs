//! Bulk writes of markets.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

use super::bulk::{bulk_insert, with_rows};
use super::sum_of;
use crate::connection::Connection;
use crate::id::Id;
use crate::market::bet_rows::NewBetRow;
use crate::market::market_rows::{NewMarketRow, NewOptionRow, NewStateRow, OutstandingRow};
use crate::market::position_rows::PositionRow;
use crate::market::resolution_rows::DebtRow;
use crate::market::revision_rows::NewRevisionRow;
use crate::market::settlement_rows::PayoutRow;
use crate::prepared::prepared;

/// Inserts the constant columns of markets.
pub(crate) fn insert_markets(
    connection: &mut Connection<'_>,
    rows: &[NewMarketRow<'_>],
) -> QueryResult<usize> {
    bulk_insert!(
        connection,
        rows,
        markets(
            id,
            creator_id,
            creator_account_id,
            name,
            description,
            category,
            ends_at_us,
            subsidy_minor,
            fee_bps,
            created_at_us,
        )
    )
}

/// Inserts the states of new markets.
pub(crate) fn insert_states(
    connection: &mut Connection<'_>,
    rows: &[NewStateRow],
) -> QueryResult<usize> {
    bulk_insert!(
        connection,
        rows,
        market_states(
            market_id,
            phase,
            fees_minor,
            volume_minor,
            stakes_minor,
            bet_count,
            version,
            updated_at_us,
            creator_id,
            revision,
        )
    )
}

/// Inserts revisions.
pub(crate) fn insert_revisions(
    connection: &mut Connection<'_>,
    rows: &[NewRevisionRow<'_>],
) -> QueryResult<usize> {
    bulk_insert!(
        connection,
        rows,
        market_revisions(
            market_id,
            number,
            author_id,
            name,
            description,
            ends_at_us,
            clarification,
            created_at_us,
        )
    )
}

/// Stores the states of markets, and returns the number saved.
pub(crate) fn save_states(
    connection: &mut Connection<'_>,
    rows: &[NewStateRow],
) -> QueryResult<usize> {
    // The creator never changes, but programs before the column existed left it empty, and such a
    // market does not count towards its creator's quota: each save fills it.
    const SAVE: &str = "UPDATE market_states
        SET phase = ?, fees_minor = ?, volume_minor = ?, stakes_minor = ?, bet_count = ?,
        version = ?,
        updated_at_us = ?, creator_id = ?, revision = ? WHERE market_id = ?";
    match connection {
        Connection::Sqlite(c) => sum_of(rows, |row| {
            prepared(SAVE)
                .bind::<Text, _>(row.phase)
                .bind::<BigInt, _>(row.fees_minor)
                .bind::<BigInt, _>(row.volume_minor)
                .bind::<BigInt, _>(row.stakes_minor)
                .bind::<BigInt, _>(row.bet_count)
                .bind::<BigInt, _>(row.version)
                .bind::<BigInt, _>(row.updated_at_us)
                .bind::<Id, _>(row.creator_id)
                .bind::<BigInt, _>(row.revision)
                .bind::<Id, _>(row.market_id)
                .execute(*c)
        }),
        Connection::Postgres(c) => with_rows!(
            *c,
            rows,
            "UPDATE market_states
            SET phase = new.phase, fees_minor = new.fees_minor, volume_minor = new.volume_minor,
            stakes_minor = new.stakes_minor, bet_count = new.bet_count, version = new.version,
            updated_at_us = new.updated_at_us, creator_id = new.creator_id,
            revision = new.revision FROM ",
            market_states(
                market_id,
                phase,
                fees_minor,
                volume_minor,
                stakes_minor,
                bet_count,
                version,
                updated_at_us,
                creator_id,
                revision,
            ),
            " WHERE market_states.market_id = new.market_id"
        ),
    }
}

/// Inserts the options of new markets.
pub(crate) fn insert_options(
    connection: &mut Connection<'_>,
    rows: &[NewOptionRow<'_>],
) -> QueryResult<usize> {
    bulk_insert!(
        connection,
        rows,
        market_options(market_id, option_index, id, name, initial_probability, outstanding_units)
    )
}

/// Stores the outstanding shares of changed options, and returns the number saved. Unchanged
/// options are skipped: an update would write their rows again.
pub(crate) fn save_options(
    connection: &mut Connection<'_>,
    rows: &[OutstandingRow],
) -> QueryResult<usize> {
    const SAVE: &str = "UPDATE market_options SET outstanding_units = ?
        WHERE market_id = ? AND option_index = ? AND outstanding_units <> ?";
    match connection {
        Connection::Sqlite(c) => sum_of(rows, |row| {
            prepared(SAVE)
                .bind::<BigInt, _>(row.outstanding_units)
                .bind::<Id, _>(row.market_id)
                .bind::<Integer, _>(row.option_index)
                .bind::<BigInt, _>(row.outstanding_units)
                .execute(*c)
        }),
        Connection::Postgres(c) => with_rows!(
            *c,
            rows,
            "UPDATE market_options SET outstanding_units = new.outstanding_units FROM ",
            market_options(market_id, option_index, outstanding_units),
            " WHERE market_options.market_id = new.market_id
            AND market_options.option_index = new.option_index
            AND market_options.outstanding_units <> new.outstanding_units"
        ),
    }
}

/// Inserts bets.
pub(crate) fn insert_bets(
    connection: &mut Connection<'_>,
    rows: &[NewBetRow<'_>],
) -> QueryResult<usize> {
    // No conflict clause: two bets with one number would break the history of the market, so the
    // unit must fail.
    bulk_insert!(
        connection,
        rows,
        bets(
            id,
            client_id,
            market_id,
            sequence,
            market_version,
            user_id,
            account_id,
            transfer_id,
            option_id,
            option_index,
            side,
            cash_minor,
            fee_minor,
            shares_units,
            prices_before,
            prices_after,
            created_at_us,
        )
    )
}

/// Inserts or replaces positions, whose keys are distinct: the first trade of a trader inserts the
/// row, later ones update it.
pub(crate) fn save_positions(
    connection: &mut Connection<'_>,
    rows: &[PositionRow],
) -> QueryResult<usize> {
    // The lock on the market keeps other units from these rows since they were read.
    const SAVE: &str = "INSERT INTO positions
        (market_id, account_id, option_index, shares_units, spent_minor, received_minor)
        VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (market_id, account_id, option_index) DO UPDATE
        SET shares_units = excluded.shares_units, spent_minor = excluded.spent_minor,
        received_minor = excluded.received_minor";
    match connection {
        Connection::Sqlite(c) => sum_of(rows, |row| {
            prepared(SAVE)
                .bind::<Id, _>(row.market_id)
                .bind::<Id, _>(row.account_id)
                .bind::<Integer, _>(row.option_index)
                .bind::<BigInt, _>(row.shares_units)
                .bind::<BigInt, _>(row.spent_minor)
                .bind::<BigInt, _>(row.received_minor)
                .execute(*c)
        }),
        Connection::Postgres(c) => with_rows!(
            *c,
            rows,
            "INSERT INTO positions
            (market_id, account_id, option_index, shares_units, spent_minor, received_minor)
            SELECT * FROM ",
            positions(
                market_id,
                account_id,
                option_index,
                shares_units,
                spent_minor,
                received_minor
            ),
            " ON CONFLICT (market_id, account_id, option_index) DO UPDATE
            SET shares_units = excluded.shares_units, spent_minor = excluded.spent_minor,
            received_minor = excluded.received_minor"
        ),
    }
}

/// Inserts the claims of a settlement.
pub(crate) fn insert_payouts(
    connection: &mut Connection<'_>,
    rows: &[PayoutRow],
) -> QueryResult<usize> {
    bulk_insert!(connection, rows, payouts(market_id, account_id, amount_minor, created_at_us))
}

/// Inserts debts.
pub(crate) fn insert_debts(
    connection: &mut Connection<'_>,
    rows: &[DebtRow],
) -> QueryResult<usize> {
    bulk_insert!(
        connection,
        rows,
        market_debts(transfer_id, account_id, market_id, amount_minor, created_at_us)
    )
}
