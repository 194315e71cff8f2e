//! Storage: all of its ports in one adapter.

use std::sync::Arc;

use foretell_persistence::{DatabaseConfig, Store};
use foretell_ports::health::Health;
use foretell_ports::job::JobQueries;
use foretell_ports::ledger::LedgerQueries;
use foretell_ports::market::MarketQueries;
use foretell_ports::post::PostQueries;
use foretell_ports::search::TextSearch;
use foretell_ports::unit::UnitOfWork;
use foretell_ports::user::UserQueries;
use foretell_ports::vector::VectorQueries;
use foretell_ports::webhook::WebhookQueries;

/// All ports of storage in one adapter.
pub trait Storage:
    UnitOfWork
    + LedgerQueries
    + MarketQueries
    + UserQueries
    + PostQueries
    + TextSearch
    + VectorQueries
    + JobQueries
    + WebhookQueries
    + Health
{
}

impl<S> Storage for S where
    S: UnitOfWork
        + LedgerQueries
        + MarketQueries
        + UserQueries
        + PostQueries
        + TextSearch
        + VectorQueries
        + JobQueries
        + WebhookQueries
        + Health
{
}

/// The storage that was chosen.
#[derive(Clone)]
pub(crate) enum Chosen {
    /// A database to open and migrate.
    Config(DatabaseConfig),
    /// URL of a Postgres server.
    Postgres(String),
    /// An open database to migrate.
    Store(Store),
    /// An adapter that needs no migration.
    Adapter(Arc<dyn Storage>),
}
