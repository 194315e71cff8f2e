//! Begins and ends transactions.

use diesel::connection::{AnsiTransactionManager, TransactionManager as _};
use diesel::result::QueryResult;

use crate::connection::{Connection, on};
use crate::error::Failure;

/// Begins a transaction that writes. `SQLite` takes its write lock now: a transaction that reads
/// first fails immediately if another has written in between, whatever its busy timeout.
pub(crate) fn begin(connection: &mut Connection<'_>) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(c) => {
            AnsiTransactionManager::begin_transaction_sql(*c, "BEGIN IMMEDIATE")
        }
        Connection::Postgres(c) => {
            // Units lock the rows that they write, so each statement may read the latest committed
            // state. With REPEATABLE READ, waiting for a lock would end in a serialization failure.
            AnsiTransactionManager::begin_transaction_sql(
                *c,
                "BEGIN ISOLATION LEVEL READ COMMITTED",
            )
        }
    }
}

/// Begins a read-only transaction whose statements all see the same snapshot.
fn begin_snapshot(connection: &mut Connection<'_>) -> QueryResult<()> {
    match connection {
        // Without the write lock: with a write-ahead log, readers and the writer do not wait for
        // each other.
        Connection::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(*c, "BEGIN"),
        Connection::Postgres(c) => AnsiTransactionManager::begin_transaction_sql(
            *c,
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        ),
    }
}

/// Commits the transaction durably.
pub(crate) fn commit(connection: &mut Connection<'_>) -> QueryResult<()> {
    on!(connection, |c| AnsiTransactionManager::commit_transaction(c))
}

/// Rolls the transaction back.
pub(crate) fn roll_back(connection: &mut Connection<'_>) -> QueryResult<()> {
    on!(connection, |c| AnsiTransactionManager::rollback_transaction(c))
}

/// Returns `true` if the connection works and is outside any transaction.
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
            // If the rollback fails too, the caller closes the connection.
            drop(roll_back(connection));
            Err(failure)
        }
    }
}

/// Runs several reads that all see the same snapshot.
pub(crate) fn snapshot<T>(
    connection: &mut Connection<'_>,
    read: impl FnOnce(&mut Connection<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    begin_snapshot(connection)?;
    let result = read(connection);
    // Nothing was written, so a rollback loses nothing; if it fails, the caller closes the
    // connection.
    let ended = roll_back(connection);
    let value = result?;
    ended?;
    Ok(value)
}
