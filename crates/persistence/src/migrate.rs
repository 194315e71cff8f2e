//! Migrations: they update the schema of a database to that of this program, one process at a time.

use std::path::Path;

use diesel::backend::Backend;
use diesel::connection::{
    AnsiTransactionManager, Connection as _, SimpleConnection as _, TransactionManager,
};
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;
use diesel::{PgConnection, QueryDsl as _, RunQueryDsl as _, SqliteConnection, table};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use foretell_ports::error::{Cause, StoreError};

use crate::config::DatabaseUrl;
use crate::connection::{Connection, on};
use crate::dialect::session::{Purpose, set_up_sqlite};
use crate::error::MigrateError;
use crate::store::Store;

const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// Waits for other processes that migrate the same database; the number identifies the lock.
const POSTGRES_LOCK: &str = "SET lock_timeout = '60s'; SELECT pg_advisory_lock(7305809911424378);";
const SQLITE_WAIT: &str = "PRAGMA busy_timeout = 60000; PRAGMA secure_delete = ON;";

/// Result of a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationReport {
    /// Names of the migrations that were applied now, in order.
    pub applied: Vec<String>,
}

/// Applied and pending migrations of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Names of the applied ones.
    pub applied: Vec<String>,
    /// Names of the pending ones, in order.
    pub pending: Vec<String>,
    /// Versions of applied migrations that this program does not know: a newer one has applied
    /// them.
    pub unknown: Vec<String>,
}

impl Store {
    /// Applies the pending migrations, each completely or not at all. Concurrent processes take
    /// turns.
    ///
    /// # Errors
    /// [`MigrateError::Newer`] if a newer program has migrated the database,
    /// [`MigrateError::Unreachable`], [`MigrateError::Failed`].
    pub async fn migrate(&self) -> Result<MigrationReport, MigrateError> {
        let url = self.url().clone();
        in_background(move || match &url {
            DatabaseUrl::Sqlite(path) => migrate_sqlite(path),
            DatabaseUrl::Postgres(url) => migrate_postgres(url),
        })
        .await
    }

    /// Returns the applied and pending migrations, without applying any.
    ///
    /// # Errors
    /// [`MigrateError::Unreachable`], [`MigrateError::Failed`] if the list of migrations cannot be
    /// read.
    pub async fn migration_status(&self) -> Result<MigrationStatus, MigrateError> {
        let url = self.url().clone();
        in_background(move || match &url {
            DatabaseUrl::Sqlite(path) => status(&mut open_sqlite(path)?, &SQLITE),
            DatabaseUrl::Postgres(url) => status(&mut open_postgres(url)?, &POSTGRES),
        })
        .await
    }

    /// Returns the number of pending migrations.
    pub(crate) async fn count_missing_migrations(&self) -> Result<usize, StoreError> {
        let known = if self.is_postgres() {
            versions::<Pg>(&POSTGRES)
        } else {
            versions::<Sqlite>(&SQLITE)
        };
        let known = known.map_err(|error| StoreError::Rejected(Box::new(error)))?;
        let query = |connection: &mut Connection<'_>| {
            let versions =
                __diesel_schema_migrations::table.select(__diesel_schema_migrations::version);
            Ok(on!(connection, |c| versions.load::<String>(c))?)
        };
        let applied = self.read("migrations", query).await?;
        Ok(known.iter().filter(|version| !applied.contains(version)).count())
    }
}

table! {
    /// Table in which Diesel records applied migrations.
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

pub(crate) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MigrateError> + Send + 'static,
) -> Result<T, MigrateError> {
    let result = tokio::task::spawn_blocking(work).await;
    result.unwrap_or_else(|error| Err(MigrateError::Failed(Box::new(error))))
}

pub(crate) fn unreachable(error: impl Into<Cause>) -> MigrateError {
    MigrateError::Unreachable(error.into())
}

pub(crate) fn open_sqlite(path: &Path) -> Result<SqliteConnection, MigrateError> {
    let name = path.to_str().ok_or("the path is not UTF-8").map_err(unreachable)?;
    let mut connection = SqliteConnection::establish(name).map_err(unreachable)?;
    set_up_sqlite(&mut connection, Purpose::Writing).map_err(unreachable)?;
    Ok(connection)
}

pub(crate) fn open_postgres(url: &str) -> Result<PgConnection, MigrateError> {
    PgConnection::establish(url).map_err(unreachable)
}

fn migrate_sqlite(path: &Path) -> Result<MigrationReport, MigrateError> {
    let mut connection = open_sqlite(path)?;
    connection.batch_execute(SQLITE_WAIT).map_err(unreachable)?;
    AnsiTransactionManager::begin_transaction_sql(&mut connection, "BEGIN IMMEDIATE")
        .map_err(unreachable)?;
    // If an error drops the connection, everything is rolled back.
    let report = bring_up(&mut connection, &SQLITE)?;
    AnsiTransactionManager::commit_transaction(&mut connection)
        .map_err(|error| MigrateError::Failed(Box::new(error)))?;
    Ok(report)
}

fn migrate_postgres(url: &str) -> Result<MigrationReport, MigrateError> {
    // Closing the connection releases the lock.
    let mut connection = open_postgres(url)?;
    connection.batch_execute(POSTGRES_LOCK).map_err(unreachable)?;
    bring_up(&mut connection, &POSTGRES)
}

/// Returns the migrations known to this program, in order.
fn known<DB: Backend>(
    source: &impl MigrationSource<DB>,
) -> Result<Vec<Box<dyn Migration<DB>>>, MigrateError> {
    let mut known = source.migrations().map_err(MigrateError::Failed)?;
    known.sort_by(|left, right| left.name().version().cmp(&right.name().version()));
    Ok(known)
}

/// Returns the versions of the migrations known to this program.
fn versions<DB: Backend>(source: &impl MigrationSource<DB>) -> Result<Vec<String>, MigrateError> {
    Ok(known(source)?.iter().map(|migration| migration.name().version().to_string()).collect())
}

fn bring_up<DB: Backend>(
    harness: &mut impl MigrationHarness<DB>,
    source: &impl MigrationSource<DB>,
) -> Result<MigrationReport, MigrateError> {
    let status = status(harness, source)?;
    if !status.unknown.is_empty() {
        return Err(MigrateError::Newer(status.unknown.join(", ")));
    }
    for migration in
        known(source)?.iter().filter(|migration| status.pending.contains(&name_of(&***migration)))
    {
        harness.run_migration(&**migration).map_err(MigrateError::Failed)?;
    }
    Ok(MigrationReport { applied: status.pending })
}

fn status<DB: Backend>(
    harness: &mut impl MigrationHarness<DB>,
    source: &impl MigrationSource<DB>,
) -> Result<MigrationStatus, MigrateError> {
    let known = known(source)?;
    let mut versions: Vec<_> = harness.applied_migrations().map_err(MigrateError::Failed)?;
    versions.sort();
    let (applied, pending): (Vec<_>, Vec<_>) =
        known.iter().partition(|migration| versions.contains(&migration.name().version()));
    let names = |migrations: Vec<&Box<dyn Migration<DB>>>| {
        migrations.into_iter().map(|migration| name_of(&**migration)).collect()
    };
    versions.retain(|version| known.iter().all(|migration| migration.name().version() != *version));
    let unknown = versions.iter().map(ToString::to_string).collect();
    Ok(MigrationStatus { applied: names(applied), pending: names(pending), unknown })
}

fn name_of<DB: Backend>(migration: &dyn Migration<DB>) -> String {
    migration.name().to_string()
}
