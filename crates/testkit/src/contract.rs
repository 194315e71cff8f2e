//! Contract of the storage ports, as tests that every adapter runs: memory, SQLite, Postgres.
//!
//! An adapter's crate implements [`Harness`] and writes one line in a test file,
//! [`contract_suite!`](crate::contract_suite), which generates one test for each function of the
//! modules below. Each test opens a new store. Units overlap deterministically: a unit waits until
//! the other has come as far as it can, but never longer than a moment, so that an adapter that
//! runs one unit at a time passes as well. Time affects only the duration of a test, never its
//! result.
//!
//! Each guard of the in-memory store has been removed once to see a test fail: the lock of a unit,
//! the rollback, the catching of panics, the commit after its caller is dropped, the unique keys,
//! the bounds of times and windows, the breaking of ties, the columns that a save must not change,
//! and each finding of the audit except a balance below the minimum, which no port allows. Do the
//! same for a test you add.

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
mod fixture;
pub mod grants;
pub mod holdings;
pub mod interleaving;
pub mod invitations;
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
pub mod resolutions;
pub mod revisions;
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

/// Ports of one store.
pub struct Adapters {
    /// Runs units of work.
    pub uow: Arc<dyn UnitOfWork>,
    /// Accounts and transfers.
    pub ledger: Arc<dyn LedgerQueries>,
    /// Markets.
    pub markets: Arc<dyn MarketQueries>,
    /// Users.
    pub users: Arc<dyn UserQueries>,
    /// Posts and comments.
    pub posts: Arc<dyn PostQueries>,
    /// Text search.
    pub search: Arc<dyn TextSearch>,
    /// Embeddings.
    pub vectors: Arc<dyn VectorQueries>,
    /// Jobs.
    pub jobs: Arc<dyn JobQueries>,
    /// Webhooks.
    pub webhooks: Arc<dyn WebhookQueries>,
    /// Outcomes.
    pub outcomes: Arc<dyn IdempotencyQueries>,
    /// Health check.
    pub health: Arc<dyn Health>,
    /// Owner of temporary files and databases, dropped last.
    pub guard: Box<dyn Any + Send>,
}

/// Opens stores for the suite.
#[async_trait]
pub trait Harness: Send + Sync {
    /// Opens a new store: migrated and empty, without even a treasury.
    async fn open(&self) -> Adapters;
}
