//! Emails to users, and webhooks to other services.

mod deliver_webhook;
pub(crate) mod manage_webhooks;
mod send_emails;
pub(crate) mod webhook_watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use foretell_ports::mail::Mailer;
use foretell_ports::market::MarketQueries;
use foretell_ports::secret::Tokens;
use foretell_ports::user::UserQueries;
use foretell_ports::webhook::{WebhookBodies, WebhookQueries, WebhookSender};

use crate::context::Context;
use crate::jobs::retry::RetryPolicies;
use crate::ports::Ports;
use webhook_watch::WebhookWatch;

/// Emails and webhooks.
pub struct Notifications {
    context: Arc<Context>,
    markets: Arc<dyn MarketQueries>,
    users: Arc<dyn UserQueries>,
    webhooks: Arc<dyn WebhookQueries>,
    webhook_sender: Arc<dyn WebhookSender>,
    webhook_bodies: Arc<dyn WebhookBodies>,
    webhook_watch: Arc<WebhookWatch>,
    mailer: Arc<dyn Mailer>,
    tokens: Arc<dyn Tokens>,
    retries: RetryPolicies,
    is_mail_failing: AtomicBool,
}

impl Notifications {
    pub(crate) fn new(
        context: &Arc<Context>,
        ports: &Ports,
        retries: RetryPolicies,
        webhook_watch: Arc<WebhookWatch>,
    ) -> Self {
        Self {
            context: Arc::clone(context),
            markets: Arc::clone(&ports.markets),
            users: Arc::clone(&ports.users),
            webhooks: Arc::clone(&ports.webhooks),
            webhook_sender: Arc::clone(&ports.webhook_sender),
            webhook_bodies: Arc::clone(&ports.webhook_bodies),
            webhook_watch,
            mailer: Arc::clone(&ports.mailer),
            tokens: Arc::clone(&ports.tokens),
            retries,
            is_mail_failing: AtomicBool::new(false),
        }
    }

    /// Returns `true` if the last email that this process tried to send was sent, or none was
    /// tried.
    pub fn is_mail_well(&self) -> bool {
        !self.is_mail_failing.load(Ordering::Relaxed)
    }
}
