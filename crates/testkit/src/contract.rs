//! The contract of the storage ports, as tests that every adapter runs: memory, SQLite, Postgres.
//!
//! An adapter's crate implements [`Harness`] and writes one line in a test file,
//! [`contract_suite!`](crate::contract_suite), which generates one test for each function of the modules
//! below. Each test opens a store of its own. What overlaps, overlaps on purpose and not by luck: a unit
//! waits until the other has come as far as it can, but never longer than a moment, so that an adapter that
//! lets only one unit run at a time passes as well. Time decides how long a test takes, never how it ends.
//!
//! Guards of the store in memory have been removed one at a time to see a test fail: the lock of a unit, the
//! rollback, the catching of panics, the commit that needs no caller, the unique keys, the bounds of moments
//! and windows, the breaking of ties, what a save must leave alone, and each thing the audit looks for but a
//! balance below the floor, which no port lets through. Do the same for a test you add.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use foretell_ports::health::Health;
use foretell_ports::idempotency::IdempotencyQueries;
use foretell_ports::job::JobQueries;
use foretell_ports::ledger::LedgerQueries;
use foretell_ports::market::MarketQueries;
use foretell_ports::post::PostQueries;
use foretell_ports::search::TextSearch;
use foretell_ports::unit::UnitOfWork;
use foretell_ports::user::UserQueries;
use foretell_ports::vector::VectorQueries;
use foretell_ports::webhook::WebhookQueries;

pub mod accounts;
pub mod api_keys;
pub mod audit;
pub mod bets;
pub mod comments;
pub mod credentials;
pub mod holdings;
pub mod interleaving;
pub mod jobs;
pub mod known_networks;
pub mod market_changes;
pub mod market_lists;
pub mod markets;
pub mod outcomes;
mod overlap;
pub mod portfolio;
pub mod post_lists;
pub mod posts;
pub mod prices;
pub mod quotas;
mod scene;
pub mod searches;
pub mod secrets;
pub mod settlements;
mod suite;
pub mod transfers;
pub mod units;
pub mod users;
pub mod values;
pub mod vectors;
pub mod webhooks;

/// The ports of one store.
pub struct Adapters {
    /// Runs units of work.
    pub uow: Arc<dyn UnitOfWork>,
    /// Reads accounts and transfers.
    pub ledger: Arc<dyn LedgerQueries>,
    /// Reads markets.
    pub markets: Arc<dyn MarketQueries>,
    /// Reads users.
    pub users: Arc<dyn UserQueries>,
    /// Reads posts and comments.
    pub posts: Arc<dyn PostQueries>,
    /// Searches texts.
    pub search: Arc<dyn TextSearch>,
    /// Reads vectors.
    pub vectors: Arc<dyn VectorQueries>,
    /// Reads jobs.
    pub jobs: Arc<dyn JobQueries>,
    /// Reads webhooks.
    pub webhooks: Arc<dyn WebhookQueries>,
    /// Looks outcomes up.
    pub outcomes: Arc<dyn IdempotencyQueries>,
    /// Answers pings.
    pub health: Arc<dyn Health>,
    /// Keeps temporary files and databases until it is dropped, after everything else.
    pub guard: Box<dyn Any + Send>,
}

/// Opens stores for the suite.
#[async_trait]
pub trait Harness: Send + Sync {
    /// A store of its own: migrated and empty, without even a treasury.
    async fn open(&self) -> Adapters;
}
