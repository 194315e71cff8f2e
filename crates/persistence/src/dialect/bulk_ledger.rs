//! Bulk writes to the ledger.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::bulk::{bulk_insert, with_rows};
use super::sum_of;
use crate::connection::Connection;
use crate::id::Id;
use crate::idempotency::rows::NewOutcomeRow;
use crate::ledger::account_rows::NewAccountRow;
use crate::ledger::transfer_rows::NewTransferRow;
use crate::prepared::prepared;

/// Inserts the accounts that do not exist yet, and returns the number inserted.
pub(crate) fn insert_accounts_once(
    connection: &mut Connection<'_>,
    rows: &[NewAccountRow],
) -> QueryResult<usize> {
    // Several nodes may initialize one database at the same time, each with the same accounts.
    bulk_insert!(
        connection,
        rows,
        accounts(id, kind, owner_id, status, balance_minor, version, created_at_us),
        or_nothing
    )
}

/// Stores balance, version and status, and returns the number of accounts saved.
pub(crate) fn save_accounts(
    connection: &mut Connection<'_>,
    rows: &[NewAccountRow],
) -> QueryResult<usize> {
    // By key alone: the unit holds the locks on these rows, so nobody has changed them since they
    // were read.
    const SAVE: &str =
        "UPDATE accounts SET balance_minor = ?, version = ?, status = ? WHERE id = ?";
    match connection {
        Connection::Sqlite(c) => sum_of(rows, |row| {
            prepared(SAVE)
                .bind::<BigInt, _>(row.balance_minor)
                .bind::<BigInt, _>(row.version)
                .bind::<Text, _>(row.status)
                .bind::<Id, _>(row.id)
                .execute(*c)
        }),
        Connection::Postgres(c) => with_rows!(
            *c,
            rows,
            "UPDATE accounts
            SET balance_minor = new.balance_minor, version = new.version, status = new.status
            FROM ",
            accounts(id, balance_minor, version, status),
            " WHERE accounts.id = new.id"
        ),
    }
}

/// Inserts transfers.
pub(crate) fn insert_transfers(
    connection: &mut Connection<'_>,
    rows: &[NewTransferRow<'_>],
) -> QueryResult<usize> {
    // No conflict clause: a used id, or a version that another transfer has given its account, must
    // fail the whole unit. The money writer then looks for the culprit (ADR 0002).
    bulk_insert!(
        connection,
        rows,
        transfers(
            id,
            client_id,
            kind,
            amount_minor,
            debit_account_id,
            debit_version,
            debit_balance_minor,
            credit_account_id,
            credit_version,
            credit_balance_minor,
            market_id,
            reversal_of,
            memo,
            created_at_us,
        )
    )
}

/// Inserts outcomes of commands.
pub(crate) fn insert_outcomes(
    connection: &mut Connection<'_>,
    rows: &[NewOutcomeRow<'_>],
) -> QueryResult<usize> {
    // No conflict clause here either: if another process has stored the key meanwhile, the unit
    // fails, and finds that outcome when it runs again (ADR 0002).
    bulk_insert!(
        connection,
        rows,
        idempotency_keys(user_id, key, request_hash, outcome, created_at_us)
    )
}
