//! Health, exports, shared secrets and the end of the server, for its operator.

pub(crate) mod export;
pub(crate) mod shared_secrets;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use foretell_ports::cache::{Cache, CacheMode};
use foretell_ports::error::StoreError;
use foretell_ports::health::Health;
use foretell_ports::ledger::LedgerQueries;
use foretell_ports::market::MarketQueries;
use foretell_ports::post::PostQueries;
use foretell_ports::secret::Tokens;
use foretell_ports::user::UserQueries;

use crate::context::Context;
use crate::ports::Ports;

/// Health, exports, shared secrets and the end of the server, for its operator.
pub struct Operations {
    context: Arc<Context>,
    health: Arc<dyn Health>,
    cache: Arc<dyn Cache>,
    ledger: Arc<dyn LedgerQueries>,
    markets: Arc<dyn MarketQueries>,
    posts: Arc<dyn PostQueries>,
    users: Arc<dyn UserQueries>,
    tokens: Arc<dyn Tokens>,
    is_ending: AtomicBool,
}

impl Operations {
    pub(crate) fn new(context: &Arc<Context>, ports: &Ports) -> Self {
        Self {
            context: Arc::clone(context),
            health: Arc::clone(&ports.health),
            cache: Arc::clone(&ports.cache),
            ledger: Arc::clone(&ports.ledger),
            markets: Arc::clone(&ports.markets),
            posts: Arc::clone(&ports.posts),
            users: Arc::clone(&ports.users),
            tokens: Arc::clone(&ports.tokens),
            is_ending: AtomicBool::new(false),
        }
    }

    /// Returns the number of migrations that the database lacks; an error if storage does not
    /// respond.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn missing_migrations(&self) -> Result<usize, StoreError> {
        self.health.missing_migrations().await
    }

    /// Announces that the process will stop soon, before anything else changes: readiness checks
    /// fail from now on.
    pub fn announce_end(&self) {
        self.is_ending.store(true, Ordering::Release);
    }

    /// Returns `true` if the process will stop soon.
    pub fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Acquire)
    }

    /// Returns `true` if the money writer accepts commands.
    pub fn is_writer_alive(&self) -> bool {
        self.context.writer.is_alive()
    }

    /// Returns the current scope of the cache.
    pub fn cache_mode(&self) -> CacheMode {
        self.cache.mode()
    }

    /// Stops accepting commands, and waits until the accepted ones are done.
    pub async fn drain(&self) {
        self.context.writer.drain().await;
    }
}
