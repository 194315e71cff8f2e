//! Tests that both folders of migrations contain the same steps in the same order, each with its
//! reversal.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result};

/// Files of each migration by its name. Names sort in the order in which they run.
type Migrations = BTreeMap<String, BTreeSet<String>>;

/// Returns migrations that one dialect lacks, files that a migration lacks, and an empty folder.
fn migration_violations(sqlite: &Migrations, postgres: &Migrations) -> Vec<String> {
    let mut violations = Vec::new();
    for (dialect, these, those) in [("sqlite", sqlite, postgres), ("postgres", postgres, sqlite)] {
        if these.is_empty() {
            violations.push(format!("migrations/{dialect} is empty"));
        }
        for name in those.keys().filter(|name| !these.contains_key(*name)) {
            violations.push(format!("migrations/{dialect} lacks {name}"));
        }
        for (name, files) in these {
            for file in ["up.sql", "down.sql"].into_iter().filter(|file| !files.contains(*file)) {
                violations.push(format!("migrations/{dialect}/{name} lacks {file}"));
            }
        }
    }
    violations
}

fn read_migrations(dialect: &str) -> Result<Migrations> {
    let folder = super::root().join("migrations").join(dialect);
    let mut migrations = Migrations::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            let files = fs::read_dir(entry.path())?
                .map(|file| Ok(file?.file_name().to_string_lossy().into_owned()))
                .collect::<Result<_>>()?;
            migrations.insert(entry.file_name().to_string_lossy().into_owned(), files);
        }
    }
    Ok(migrations)
}

fn migrations(names: &[&str], files: &[&str]) -> Migrations {
    let files: BTreeSet<String> = files.iter().map(|file| (*file).to_owned()).collect();
    names.iter().map(|name| ((*name).to_owned(), files.clone())).collect()
}

#[test]
fn migration_in_one_dialect_is_violation() {
    let both = ["up.sql", "down.sql"];
    let check = |sqlite: &[&str], postgres: &[&str], expected: &[&str]| {
        let violations =
            migration_violations(&migrations(sqlite, &both), &migrations(postgres, &both));
        assert_eq!(violations, expected);
    };
    check(&["1_a", "2_b"], &["1_a", "2_b"], &[]);
    check(&["1_a", "2_b"], &["1_a"], &["migrations/postgres lacks 2_b"]);
    check(&["1_a"], &["2_a"], &["migrations/sqlite lacks 2_a", "migrations/postgres lacks 1_a"]);
    check(&[], &[], &["migrations/sqlite is empty", "migrations/postgres is empty"]);
}

#[test]
fn migration_without_reversal_is_violation() {
    let whole = migrations(&["1_a"], &["up.sql", "down.sql"]);
    let half = migrations(&["1_a"], &["up.sql"]);
    assert_eq!(migration_violations(&whole, &half), ["migrations/postgres/1_a lacks down.sql"]);
}

#[test]
fn both_dialects_have_the_same_migrations() {
    let violations = migration_violations(
        &read_migrations("sqlite").unwrap(),
        &read_migrations("postgres").unwrap(),
    );
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}
