//! Diesel adapters of the ports: SQLite and Postgres behind one set of repositories.
//!
//! A [`Store`] is an open database and implements every storage port. This crate depends on the
//! ports and the domain, but not on use cases or HTTP; it exposes no type of Diesel. The
//! repositories (one file per table) are written once for both databases; all differences between
//! the two are in `dialect`.

// For the tests that share files with tests outside of the crate.
#[cfg(test)]
extern crate self as foretell_persistence;

mod accounts;
mod api_keys;
mod audit;
pub mod backup;
mod bets;
mod cancel;
mod checkpoint;
mod comments;
mod condition;
mod config;
mod connection;
mod credential_states;
mod dialect;
mod error;
mod id;
mod idempotency;
mod inspection;
mod jobs;
mod known_networks;
mod market_details;
mod market_lists;
mod markets;
mod migrate;
mod portfolio;
mod ports;
mod positions;
mod post_lists;
mod post_tags;
mod posts;
mod prepared;
mod prices;
mod profits;
mod quotas;
mod repair;
mod schema;
mod searches;
mod secrets;
mod sessions;
mod settlements;
mod statement_count;
#[cfg(test)]
mod statements;
mod store;
mod text_index;
mod threads;
mod timeline;
mod transfers;
mod tx;
mod unit;
mod unreadable_rows;
mod users;
mod vectors;
mod webhooks;

pub use condition::{Condition, DurabilitySetting};
pub use config::{DatabaseConfig, DatabaseUrl};
pub use error::{ConnectError, MigrateError};
pub use inspection::{Inspection, UnreadableRow};
pub use migrate::{MigrationReport, MigrationStatus};
pub use statement_count::count_statements;
pub use store::Store;
pub use text_index::{MissingIndex, SearchIndexStatus};
