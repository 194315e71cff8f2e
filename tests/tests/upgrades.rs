//! Tests that migrations are reverted and applied again on a database with data, without changing
//! the ledger.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use std::fs;
use std::path::{Path, PathBuf};

use foretell_tests::{Database, Home, Program, on_each_database};

on_each_database!(migrations_are_reverted_and_applied_with_data);

/// The first migrations create the ledger itself; reverting them would leave nothing to compare.
const OF_THE_LEDGER: usize = 4;

/// Returns the folders of all migrations, newest first.
fn migrations(database: Database) -> Vec<PathBuf> {
    let dialect = match database {
        Database::Sqlite => "sqlite",
        Database::Postgres => "postgres",
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(dialect);
    let mut folders: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    folders.reverse();
    folders
}

/// Reverts a migration by its own file.
fn undo(home: &Home, migration: &Path) {
    let name = migration.file_name().unwrap().to_str().unwrap();
    let version: String = name.chars().take_while(|c| *c != '_').filter(|c| *c != '-').collect();
    let undo = fs::read_to_string(migration.join("down.sql")).unwrap();
    let forget = format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'");
    home.execute(&format!("BEGIN; {undo}; {forget}; COMMIT;"));
}

/// Returns the row counts of all tables that the first migrations created.
fn counts(home: &Home) -> [i64; 4] {
    ["users", "accounts", "transfers", "markets"]
        .map(|table| home.count(&format!("SELECT count(*) AS count FROM {table}")))
}

async fn migrations_are_reverted_and_applied_with_data(database: Database) {
    let home = Home::new(database);
    let program = |arguments: &str| Program::new(&home).arguments(arguments);
    program("demo").run().await.succeeded();
    let before = counts(&home);
    assert!(before.iter().all(|count| *count > 3), "{before:?}");
    let migrations = migrations(database);
    let newer = migrations.len() - OF_THE_LEDGER;
    assert!(newer > 8);
    for undone in 1..=newer {
        for migration in &migrations[..undone] {
            undo(&home, migration);
        }
        let told = program("migrate").run().await.succeeded().stdout;
        assert_eq!(
            told.lines().filter(|line| line.starts_with("applied ")).count(),
            undone,
            "{told}"
        );
        assert_eq!(counts(&home), before, "{undone} undone");
        program("ledger audit").run().await.succeeded();
    }
}
