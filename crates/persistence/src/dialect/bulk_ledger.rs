//! Bulk writes to the ledger: on Postgres one statement with an array for each column, whose text
//! is the same for any number of rows; on `SQLite` one prepared statement per row, since statements
//! there cost no round trip.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text};

use super::{column, sum_of};
use crate::connection::Connection;
use crate::id::Id;
use crate::idempotency::NewOutcomeRow;
use crate::ledger::accounts::NewAccountRow;
use crate::ledger::transfers::NewTransferRow;
use crate::prepared::prepared;
use crate::schema::{accounts, idempotency_keys, transfers};

const INSERT_ACCOUNTS: &str = "INSERT INTO accounts
    (id, kind, owner_id, status, balance_minor, version, created_at_us)
    SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";

const SAVE_ACCOUNTS: &str = "UPDATE accounts
    SET balance_minor = new.balance_minor, version = new.version, status = new.status
    FROM unnest(?, ?, ?, ?) AS new (id, balance_minor, version, status)
    WHERE accounts.id = new.id";

const SAVE_ACCOUNT: &str = "UPDATE accounts SET balance_minor = ?, version = ?, status = ? WHERE id = ?";

const INSERT_TRANSFERS: &str = "INSERT INTO transfers
    (id, client_id, kind, amount_minor, debit_account_id, debit_version, debit_balance_minor,
    credit_account_id, credit_version, credit_balance_minor, market_id, reversal_of, memo, created_at_us)
    SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

const INSERT_OUTCOMES: &str = "INSERT INTO idempotency_keys
    (user_id, key, request_hash, outcome, created_at_us)
    SELECT * FROM unnest(?, ?, ?, ?, ?)";

/// Inserts the accounts that do not exist yet, and returns the number inserted.
pub(crate) fn insert_accounts_once(
    connection: &mut Connection<'_>,
    rows: &[NewAccountRow],
) -> QueryResult<usize> {
    match connection {
        Connection::Sqlite(c) => sum_of(rows, |row| {
            diesel::insert_into(accounts::table).values(*row).on_conflict_do_nothing().execute(*c)
        }),
        Connection::Postgres(c) => prepared(INSERT_ACCOUNTS)
            .bind::<Array<Id>, _>(column(rows, |row| row.id))
            .bind::<Array<Text>, _>(column(rows, |row| row.kind))
            .bind::<Array<Nullable<Id>>, _>(column(rows, |row| row.owner_id))
            .bind::<Array<Text>, _>(column(rows, |row| row.status))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.balance_minor))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.version))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.created_at_us))
            .execute(*c),
    }
}

/// Stores balance, version and status, and returns the number of accounts saved.
pub(crate) fn save_accounts(connection: &mut Connection<'_>, rows: &[NewAccountRow]) -> QueryResult<usize> {
    match connection {
        Connection::Sqlite(c) => sum_of(rows, |row| {
            prepared(SAVE_ACCOUNT)
                .bind::<BigInt, _>(row.balance_minor)
                .bind::<BigInt, _>(row.version)
                .bind::<Text, _>(row.status)
                .bind::<Id, _>(row.id)
                .execute(*c)
        }),
        Connection::Postgres(c) => prepared(SAVE_ACCOUNTS)
            .bind::<Array<Id>, _>(column(rows, |row| row.id))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.balance_minor))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.version))
            .bind::<Array<Text>, _>(column(rows, |row| row.status))
            .execute(*c),
    }
}

/// Inserts transfers.
pub(crate) fn insert_transfers(
    connection: &mut Connection<'_>,
    rows: &[NewTransferRow<'_>],
) -> QueryResult<usize> {
    match connection {
        Connection::Sqlite(c) => {
            sum_of(rows, |row| diesel::insert_into(transfers::table).values(*row).execute(*c))
        }
        Connection::Postgres(c) => prepared(INSERT_TRANSFERS)
            .bind::<Array<Id>, _>(column(rows, |row| row.id))
            .bind::<Array<Nullable<Id>>, _>(column(rows, |row| row.client_id))
            .bind::<Array<Text>, _>(column(rows, |row| row.kind))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.amount_minor))
            .bind::<Array<Id>, _>(column(rows, |row| row.debit_account_id))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.debit_version))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.debit_balance_minor))
            .bind::<Array<Id>, _>(column(rows, |row| row.credit_account_id))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.credit_version))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.credit_balance_minor))
            .bind::<Array<Nullable<Id>>, _>(column(rows, |row| row.market_id))
            .bind::<Array<Nullable<Id>>, _>(column(rows, |row| row.reversal_of))
            .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.memo))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.created_at_us))
            .execute(*c),
    }
}

/// Inserts outcomes of commands.
pub(crate) fn insert_outcomes(
    connection: &mut Connection<'_>,
    rows: &[NewOutcomeRow<'_>],
) -> QueryResult<usize> {
    match connection {
        Connection::Sqlite(c) => {
            sum_of(rows, |row| diesel::insert_into(idempotency_keys::table).values(*row).execute(*c))
        }
        Connection::Postgres(c) => prepared(INSERT_OUTCOMES)
            .bind::<Array<Id>, _>(column(rows, |row| row.user_id))
            .bind::<Array<Text>, _>(column(rows, |row| row.key))
            .bind::<Array<Binary>, _>(column(rows, |row| row.request_hash))
            .bind::<Array<Text>, _>(column(rows, |row| row.outcome))
            .bind::<Array<BigInt>, _>(column(rows, |row| row.created_at_us))
            .execute(*c),
    }
}
