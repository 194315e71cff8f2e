//! Condition of a database for operators: durability settings and clock.

use diesel::sql_types::{BigInt, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};

use crate::config::DatabaseUrl;
use crate::error::MigrateError;
use crate::migrate::{in_background, open_postgres, open_sqlite, unreachable};
use crate::store::Store;

/// A setting that durability depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurabilitySetting {
    /// Its name in the database.
    pub name: &'static str,
    /// Value.
    pub value: String,
    /// `true` if no acknowledged change can be lost with it.
    pub is_safe: bool,
}

/// The condition of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Settings that durability depends on.
    pub durability: Vec<DurabilitySetting>,
    /// Clock of the server, in microseconds since 1970; `None` for a file.
    pub clock_us: Option<i64>,
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    value: String,
}

#[derive(QueryableByName)]
struct Clock {
    #[diesel(sql_type = BigInt)]
    now_us: i64,
}

impl Store {
    /// Reads the settings of the database that apply to its writers.
    ///
    /// # Errors
    /// [`MigrateError::Unreachable`].
    pub async fn condition(&self) -> Result<Condition, MigrateError> {
        let url = self.url().clone();
        in_background(move || match &url {
            // Set up like a writer's connection, since the settings belong to a connection.
            DatabaseUrl::Sqlite(path) => of_sqlite(&mut open_sqlite(path)?),
            DatabaseUrl::Postgres(url) => of_postgres(&mut open_postgres(url)?),
        })
        .await
    }
}

fn of_sqlite(connection: &mut SqliteConnection) -> Result<Condition, MigrateError> {
    let mut setting =
        |name, query: &str, safe: &[&str]| -> Result<DurabilitySetting, MigrateError> {
            let found: Setting = sql_query(query).get_result(connection).map_err(unreachable)?;
            Ok(DurabilitySetting {
                name,
                is_safe: safe.contains(&found.value.as_str()),
                value: found.value,
            })
        };
    let durability = vec![
        setting("journal_mode", "SELECT journal_mode AS value FROM pragma_journal_mode", &["wal"])?,
        // 2 is FULL, 3 is EXTRA.
        setting(
            "synchronous",
            "SELECT CAST(synchronous AS TEXT) AS value FROM pragma_synchronous",
            &["2", "3"],
        )?,
    ];
    Ok(Condition { durability, clock_us: None })
}

fn of_postgres(connection: &mut PgConnection) -> Result<Condition, MigrateError> {
    let mut durability = Vec::new();
    for name in ["fsync", "full_page_writes", "synchronous_commit"] {
        let query = sql_query("SELECT current_setting($1) AS value").bind::<Text, _>(name);
        let found: Setting = query.get_result(connection).map_err(unreachable)?;
        durability.push(DurabilitySetting {
            name,
            is_safe: found.value != "off",
            value: found.value,
        });
    }
    let clock = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now_us";
    let clock: Clock = sql_query(clock).get_result(connection).map_err(unreachable)?;
    Ok(Condition { durability, clock_us: Some(clock.now_us) })
}
