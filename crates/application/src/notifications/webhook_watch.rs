//! Cached check for enabled webhooks: most servers have none, and their batches can skip the work.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foretell_ports::webhook::WebhookQueries;
use tokio::time::Instant;

/// Lifetime of a result.
const TRUST: Duration = Duration::from_secs(1);

/// Queries storage once a second.
pub(crate) struct WebhookWatch {
    webhooks: Arc<dyn WebhookQueries>,
    known: Mutex<Option<(Instant, bool)>>,
}

impl WebhookWatch {
    pub(crate) fn new(webhooks: Arc<dyn WebhookQueries>) -> Self {
        Self { webhooks, known: Mutex::new(None) }
    }

    /// Returns `true` if a batch must add cursors for webhooks. One enabled on another node in the
    /// last second may be missed, but none is missed while storage does not respond.
    pub(crate) async fn is_needed(&self) -> bool {
        let known = *self.known();
        if let Some((_, is_needed)) = known.filter(|(asked_at, _)| asked_at.elapsed() < TRUST) {
            return is_needed;
        }
        let asked_at = Instant::now();
        match self.webhooks.has_enabled_webhook().await {
            Ok(is_needed) => {
                *self.known() = Some((asked_at, is_needed));
                is_needed
            }
            Err(_) => true,
        }
    }

    /// Invalidates the result: this process has changed a webhook.
    pub(crate) fn forget(&self) {
        *self.known() = None;
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Option<(Instant, bool)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
