//! The adapters behind the use cases.

use std::sync::Arc;

use foretell_ports::cache::Cache;
use foretell_ports::health::Health;
use foretell_ports::job::JobQueries;
use foretell_ports::ledger::LedgerQueries;
use foretell_ports::mail::Mailer;
use foretell_ports::market::MarketQueries;
use foretell_ports::post::PostQueries;
use foretell_ports::rate_limit::RateLimiter;
use foretell_ports::search::TextSearch;
use foretell_ports::secret::{PasswordHasher, Tokens};
use foretell_ports::system::{Clock, IdSource};
use foretell_ports::unit::UnitOfWork;
use foretell_ports::user::UserQueries;
use foretell_ports::user_changes::UserChanges;
use foretell_ports::vector::VectorQueries;
use foretell_ports::webhook::{WebhookBodies, WebhookQueries, WebhookSender};

use crate::search::semantic::Semantic;

/// Adapters used by the application.
#[derive(Clone)]
pub struct Ports {
    /// Runs units of work.
    pub units: Arc<dyn UnitOfWork>,
    /// Accounts and transfers.
    pub ledger: Arc<dyn LedgerQueries>,
    /// Markets.
    pub markets: Arc<dyn MarketQueries>,
    /// Users, sessions, known networks and API keys.
    pub users: Arc<dyn UserQueries>,
    /// Posts, comments and tags.
    pub posts: Arc<dyn PostQueries>,
    /// Cache.
    pub cache: Arc<dyn Cache>,
    /// Text search.
    pub search: Arc<dyn TextSearch>,
    /// Stored embeddings.
    pub vectors: Arc<dyn VectorQueries>,
    /// Semantic search; `None` if there is no model.
    pub semantic: Option<Semantic>,
    /// Jobs.
    pub jobs: Arc<dyn JobQueries>,
    /// Webhooks.
    pub webhooks: Arc<dyn WebhookQueries>,
    /// Mailer.
    pub mailer: Arc<dyn Mailer>,
    /// Sender of webhook messages.
    pub webhook_sender: Arc<dyn WebhookSender>,
    /// Builder of their bodies.
    pub webhook_bodies: Arc<dyn WebhookBodies>,
    /// Announcements of changed users to other nodes.
    pub user_changes: Arc<dyn UserChanges>,
    /// Rate limiter.
    pub limiter: Arc<dyn RateLimiter>,
    /// Health check of storage.
    pub health: Arc<dyn Health>,
    /// Clock.
    pub clock: Arc<dyn Clock>,
    /// Source of ids.
    pub ids: Arc<dyn IdSource>,
    /// Password hasher.
    pub passwords: Arc<dyn PasswordHasher>,
    /// Source of session tokens and API key secrets.
    pub tokens: Arc<dyn Tokens>,
}
