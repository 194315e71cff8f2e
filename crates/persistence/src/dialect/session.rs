//! Settings of each new connection.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Integer;
use diesel::{PgConnection, QueryResult, SqliteConnection};

use super::backends;
use crate::cancel::query::define_go_on;
use crate::connection::Connection;
use crate::error::Failure;

/// Purpose of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Units of work.
    Writing,
    /// Queries; the database itself rejects writes.
    Reading,
    /// Searches, which cannot write either.
    Searching,
}

/// Every commit is flushed to disk before it is acknowledged: batches make this cheap, so no weaker
/// setting is needed. Deleted content is overwritten with zeros, so that a copy of the file does
/// not contain it.
const SQLITE_WRITING: &str = "PRAGMA busy_timeout = 1000;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA secure_delete = ON;
PRAGMA cache_size = -16384;
PRAGMA wal_autocheckpoint = 8192;
PRAGMA temp_store = MEMORY;";

const SQLITE_READING: &str = "PRAGMA busy_timeout = 1000;
PRAGMA query_only = ON;
PRAGMA cache_size = -2048;
PRAGMA temp_store = MEMORY;";

/// Each statement is planned once per connection: by default, Postgres planned the query of a
/// market again for each reader, which took five times as long as running it. Every statement uses
/// an index, and a plan made while a table was small must not keep scanning it after it has grown.
///
/// Messages are requested in English, since some errors are recognised by them; only superusers may
/// set that. Asynchronous commit is turned on if a server has it off: commits must be on disk
/// before they are acknowledged.
const POSTGRES_BOTH: &str = "SET jit = off;
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
SELECT set_config('lc_messages', 'C', false) WHERE current_setting('is_superuser') = 'on';
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') = 'off';";

const POSTGRES_WRITING: &str = "SET statement_timeout = '15s';
SET lock_timeout = '5s';
SET idle_in_transaction_session_timeout = '30s';";

const POSTGRES_READING: &str = "SET statement_timeout = '10s';
SET lock_timeout = '2s';
SET idle_in_transaction_session_timeout = '30s';
SET default_transaction_read_only = on;";

/// A longer search has already lost its turn: the next step has started.
const POSTGRES_SEARCHING: &str = "SET statement_timeout = '3s';
SET lock_timeout = '2s';
SET idle_in_transaction_session_timeout = '30s';
SET default_transaction_read_only = on;";

/// Sets up a new connection to a file.
pub(crate) fn set_up_sqlite(
    connection: &mut SqliteConnection,
    purpose: Purpose,
) -> QueryResult<()> {
    define_go_on(connection)?;
    connection.batch_execute(match purpose {
        Purpose::Writing => SQLITE_WRITING,
        Purpose::Reading | Purpose::Searching => SQLITE_READING,
    })
}

/// Sets up a new connection to a server.
pub(crate) fn set_up_postgres(connection: &mut PgConnection, purpose: Purpose) -> QueryResult<()> {
    connection.batch_execute(POSTGRES_BOTH)?;
    connection.batch_execute(match purpose {
        Purpose::Writing => POSTGRES_WRITING,
        Purpose::Reading => POSTGRES_READING,
        Purpose::Searching => POSTGRES_SEARCHING,
    })?;
    // Needed to cancel a statement from another connection.
    let backend =
        diesel::select(diesel::dsl::sql::<Integer>("pg_backend_pid()")).get_result(connection)?;
    backends::record(connection, backend);
    Ok(())
}

/// Allows long statements and sequential scans in the running transaction, for an audit.
pub(crate) fn allow_long_statements(connection: &mut Connection<'_>) -> QueryResult<()> {
    match connection {
        Connection::Sqlite(_) => Ok(()),
        Connection::Postgres(c) => {
            c.batch_execute("SET LOCAL statement_timeout = '15min'; SET LOCAL enable_seqscan = on")
        }
    }
}

/// Allows a query to sort more rows than fit into memory: `SQLite` then sorts in temporary files,
/// which must be set outside a transaction. Postgres does so by itself.
pub(crate) fn sort_on_disk<T>(
    connection: &mut Connection<'_>,
    query: impl FnOnce(&mut Connection<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if let Connection::Sqlite(c) = connection {
        c.batch_execute("PRAGMA temp_store = FILE")?;
    }
    let result = query(connection);
    if let Connection::Sqlite(c) = connection {
        c.batch_execute("PRAGMA temp_store = MEMORY")?;
    }
    result
}
