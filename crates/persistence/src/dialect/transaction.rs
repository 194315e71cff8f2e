//! Beginning and ending transactions.

use diesel::connection::{AnsiTransactionManager, TransactionManager as _};
use diesel::result::QueryResult;

use crate::connection::{Connection, on};
use crate::error::Failure;

/// Begins a transaction that writes. `SQLite` takes its one write lock now: a transaction that reads first
/// fails at once when another has written in between, however long it would have waited.
pub(crate) fn begin(connection: &mut Connection<'_>) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(*c, "BEGIN IMMEDIATE"),
        Connection::Postgres(c) => {
            AnsiTransactionManager::begin_transaction_sql(*c, "BEGIN ISOLATION LEVEL READ COMMITTED")
        }
    }
}

/// Begins a transaction whose statements all see the same moment and write nothing.
fn begin_snapshot(connection: &mut Connection<'_>) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(*c, "BEGIN"),
        Connection::Postgres(c) => AnsiTransactionManager::begin_transaction_sql(
            *c,
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        ),
    }
}

/// Makes the transaction durable.
pub(crate) fn commit(connection: &mut Connection<'_>) -> QueryResult<()> {
    on!(connection, |c| AnsiTransactionManager::commit_transaction(c))
}

/// Drops the transaction.
pub(crate) fn roll_back(connection: &mut Connection<'_>) -> QueryResult<()> {
    on!(connection, |c| AnsiTransactionManager::rollback_transaction(c))
}

/// Whether the connection is in order and outside any transaction.
pub(crate) fn is_usable(connection: &mut Connection<'_>) -> bool {
    on!(connection, |c| !AnsiTransactionManager::is_broken_transaction_manager(c))
}

/// Runs statements that write, in a transaction of their own.
pub(crate) fn write<T>(
    connection: &mut Connection<'_>,
    work: impl FnOnce(&mut Connection<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    begin(connection)?;
    match work(connection) {
        Ok(value) => {
            commit(connection)?;
            Ok(value)
        }
        Err(failure) => {
            // A connection that cannot end its transaction is thrown away.
            drop(roll_back(connection));
            Err(failure)
        }
    }
}

/// Runs several reads that all see the same moment.
pub(crate) fn snapshot<T>(
    connection: &mut Connection<'_>,
    read: impl FnOnce(&mut Connection<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    begin_snapshot(connection)?;
    let result = read(connection);
    // Nothing was written, so there is nothing to lose: a connection that cannot end it is thrown away.
    let ended = roll_back(connection);
    let value = result?;
    ended?;
    Ok(value)
}
