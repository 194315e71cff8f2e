//! Diesel adapters of the ports: SQLite and Postgres behind one set of repositories.
//!
//! A [`Store`] is an open database and implements every storage port. This crate depends on the
//! ports and the domain, but not on use cases or HTTP; it exposes no type of Diesel. The
//! repositories (one file per table) are written once for both databases; all differences between
//! the two are in `dialect`.

// For the tests that share files with tests outside of the crate.
#[cfg(test)]
extern crate self as foretell_persistence;

pub mod backup;
mod cancel;
mod checkpoint;
mod condition;
mod config;
mod connection;
mod dialect;
mod error;
mod id;
mod idempotency;
mod inspection;
mod job;
mod ledger;
mod market;
mod migrate;
mod post;
mod prepared;
mod quotas;
mod repair;
mod schema;
mod search;
mod secrets;
mod statement_count;
#[cfg(test)]
mod statements;
mod store;
mod text_index;
mod threads;
mod tx;
mod unit;
mod unreadable_rows;
mod user;
mod vectors;
mod webhook;

pub use condition::{Condition, DurabilitySetting};
pub use config::{DatabaseConfig, DatabaseUrl};
pub use error::{ConnectError, MigrateError};
pub use inspection::{Inspection, UnreadableRow};
pub use migrate::{MigrationReport, MigrationStatus};
pub use statement_count::count_statements;
pub use store::Store;
pub use text_index::{MissingIndex, SearchIndexStatus};
