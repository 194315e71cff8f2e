//! The whole server as a library: adapters, application, router and workers put together.
//!
//! [`Foretell::builder`] chooses the storage, and a default for every other port;
//! [`Builder`] replaces any of them in one line, by another adapter or by a mock.
//! [`Builder::build`] opens and migrates the database and initializes its ledger. What it returns
//! is complete: a router or a worker cannot be had from a database that is not ready.
//!
//! Contains no rules, no SQL and no HTTP of its own, and reads neither files nor environment
//! variables.

mod build;
mod builder;
mod error;
#[cfg(feature = "memory")]
mod fakes;
mod open;
mod search_index;
mod server;
mod storage;
mod storage_choice;
mod workers;

pub use foretell_application as application;
pub use foretell_domain as domain;
pub use foretell_ports as ports;
pub use foretell_web as web;

pub use builder::{Builder, CacheSettings, POSTGRES_LANES};
pub use error::BuildError;
pub use foretell_application::ApplicationSettings;
pub use foretell_cache::RedisSettings;
pub use foretell_jobs::WorkerSettings;
pub use foretell_persistence::{DatabaseConfig, DatabaseUrl, Store};
pub use server::Foretell;
pub use storage::Storage;
pub use storage_choice::StorageChoice;
pub use workers::Workers;

/// Compiles and runs the programs of the guide.
#[cfg(all(doctest, feature = "memory"))]
#[doc = include_str!("../../../docs/embedding.md")]
struct Guide;
