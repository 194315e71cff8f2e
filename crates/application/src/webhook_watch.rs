//! Whether any webhook is enabled: most servers have none, and their batches need not care.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foretell_ports::webhook::WebhookQueries;
use tokio::time::Instant;

/// How long an answer is good for.
const TRUST: Duration = Duration::from_secs(1);

/// Asks once a second.
pub(crate) struct WebhookWatch {
    webhooks: Arc<dyn WebhookQueries>,
    known: Mutex<Option<(Instant, bool)>>,
}

impl WebhookWatch {
    pub(crate) fn new(webhooks: Arc<dyn WebhookQueries>) -> Self {
        Self { webhooks, known: Mutex::new(None) }
    }

    /// Whether a batch must look for webhooks: one that was enabled elsewhere in the last second may be missed, but
    /// none while storage does not answer.
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

    /// Asks anew the next time: this process has changed a webhook.
    pub(crate) fn forget(&self) {
        *self.known() = None;
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Option<(Instant, bool)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
