//! Creates, reads, changes, tests and deletes webhooks. For admins.

use std::time::Duration;

use foretell_domain::id::WebhookId;
use foretell_domain::policy;
use foretell_domain::webhook::{WebhookError, WebhookEvents, WebhookStatus, WebhookUrl};
use foretell_ports::error::StoreError;
use foretell_ports::page::PageRequest;
use foretell_ports::secret::TokenHash;
use foretell_ports::unit::{Locked, Tx};
use foretell_ports::webhook::{Webhook, WebhookMessage, WebhookSecret, WebhookSendError};

use super::Notifications;
use crate::Caller;
use crate::error::AppError;

/// Maximum number of webhooks: each adds work to every change of a market.
const MAX_WEBHOOKS: u32 = 20;

/// Overlap during which a replaced secret still signs beside the new one, so that a receiver has
/// time to change.
const ROTATION: Duration = Duration::from_hours(24);

/// Data of a new webhook.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// URL that messages are sent to.
    pub url: WebhookUrl,
    /// Events that it receives.
    pub events: WebhookEvents,
}

/// Requested changes of a webhook; `None` leaves a field unchanged.
#[derive(Debug, Clone, Default)]
pub struct WebhookChange {
    /// New URL.
    pub url: Option<WebhookUrl>,
    /// New events.
    pub events: Option<WebhookEvents>,
    /// New status.
    pub status: Option<WebhookStatus>,
}

impl Notifications {
    /// Creates a webhook that receives events from now on, and those of other nodes after a second.
    /// For admins.
    ///
    /// # Errors
    /// [`AppError::Refused`] for everyone else, with `TooMany` or `ForbiddenAddress`;
    /// [`AppError::Store`].
    pub async fn create_webhook(
        &self,
        caller: &Caller,
        new: NewWebhook,
    ) -> Result<Webhook, AppError> {
        self.check_address(&new.url)?;
        let webhook = Webhook {
            id: WebhookId::from_u128(self.context.next_id()),
            url: new.url,
            events: new.events,
            status: WebhookStatus::Enabled,
            secret: self.new_webhook_secret(),
            replaced: None,
            created_at: self.context.now(),
            failing: None,
        };
        let made = webhook.clone();
        let work = move |tx: &mut dyn Tx, actor| {
            policy::may_administer(actor)?;
            if tx.lock_and_count_webhooks()? >= MAX_WEBHOOKS {
                return Err(WebhookError::TooMany { max: MAX_WEBHOOKS }.into());
            }
            Ok(tx.insert_webhook(&made)?)
        };
        let result = self.context.run_as(caller, "create_webhook", work).await;
        self.webhook_watch.forget();
        result?;
        Ok(webhook)
    }

    /// Returns a page of the webhooks, newest first. For admins.
    ///
    /// # Errors
    /// [`AppError::Refused`] for everyone else, [`AppError::Store`].
    pub async fn list_webhooks(
        &self,
        caller: &Caller,
        page: PageRequest<WebhookId>,
    ) -> Result<Vec<Webhook>, AppError> {
        policy::may_administer(caller.actor())?;
        Ok(self.webhooks.list_webhooks(page).await?)
    }

    /// Returns a webhook. For admins.
    ///
    /// # Errors
    /// [`AppError::Refused`] for everyone else, and with `NotFound`; [`AppError::Store`].
    pub async fn get_webhook(&self, caller: &Caller, id: WebhookId) -> Result<Webhook, AppError> {
        policy::may_administer(caller.actor())?;
        let found = self.webhooks.find_webhook(id).await?;
        Ok(found.ok_or(WebhookError::NotFound(id))?)
    }

    /// Changes a webhook. Events that happen while it is disabled are never sent; enabling it
    /// resets its failures. For admins.
    ///
    /// # Errors
    /// [`AppError::Refused`] for everyone else, with `NotFound` or `ForbiddenAddress`;
    /// [`AppError::Store`].
    pub async fn change_webhook(
        &self,
        caller: &Caller,
        id: WebhookId,
        change: WebhookChange,
    ) -> Result<Webhook, AppError> {
        change.url.iter().try_for_each(|url| self.check_address(url))?;
        self.alter_webhook(caller, id, move |webhook, tx| {
            let WebhookChange { url, events, status } = change.clone();
            webhook.url = url.unwrap_or_else(|| webhook.url.clone());
            webhook.events = events.unwrap_or(webhook.events);
            match status {
                Some(WebhookStatus::Enabled) if webhook.status == WebhookStatus::Disabled => {
                    webhook.failing = None;
                }
                Some(WebhookStatus::Disabled) => tx.delete_webhook_cursors(webhook)?,
                _ => {}
            }
            webhook.status = status.unwrap_or(webhook.status);
            Ok(())
        })
        .await
    }

    /// Creates a new secret of a webhook; for a day, messages are signed with the previous one too.
    /// For admins.
    ///
    /// # Errors
    /// [`AppError::Refused`] for everyone else, and with `NotFound`; [`AppError::Store`].
    pub async fn rotate_webhook_secret(
        &self,
        caller: &Caller,
        id: WebhookId,
    ) -> Result<Webhook, AppError> {
        let (secret, until) = (self.new_webhook_secret(), self.context.now().plus(ROTATION));
        self.alter_webhook(caller, id, move |webhook, _| {
            if webhook.secret != secret {
                webhook.replaced = Some((webhook.secret, until));
                webhook.secret = secret;
            }
            Ok(())
        })
        .await
    }

    /// Deletes a webhook; undelivered events are never sent. For admins.
    ///
    /// # Errors
    /// [`AppError::Refused`] for everyone else, and with `NotFound`; [`AppError::Store`].
    pub async fn delete_webhook(&self, caller: &Caller, id: WebhookId) -> Result<(), AppError> {
        let work = move |tx: &mut dyn Tx, actor| {
            policy::may_administer(actor)?;
            if tx.delete_webhook(id)? { Ok(()) } else { Err(WebhookError::NotFound(id).into()) }
        };
        let deleted = self.context.run_as(caller, "delete_webhook", work).await;
        self.webhook_watch.forget();
        deleted
    }

    /// Sends a test message to a webhook, and returns the result. For admins.
    ///
    /// # Errors
    /// [`AppError::Refused`] for everyone else, and with `NotFound`; [`AppError::Store`].
    pub async fn test_webhook(
        &self,
        caller: &Caller,
        id: WebhookId,
    ) -> Result<Result<(), WebhookSendError>, AppError> {
        let work = |_: &mut dyn Tx, actor| Ok(policy::may_administer(actor)?);
        self.context.run_as(caller, "test_webhook", work).await?;
        let webhook = self.get_webhook(caller, id).await?;
        let now = self.context.now();
        let body = self.webhook_bodies.test(id, now).ok_or(AppError::Internal("a body"))?;
        let message = WebhookMessage { id: format!("{id}-{}", now.micros()), sent_at: now, body };
        Ok(self.webhook_sender.send(&webhook.url, &self.secrets(&webhook), &message).await)
    }

    async fn alter_webhook(
        &self,
        caller: &Caller,
        id: WebhookId,
        mut alter: impl FnMut(&mut Locked<Webhook>, &mut dyn Tx) -> Result<(), StoreError>
        + Send
        + 'static,
    ) -> Result<Webhook, AppError> {
        let work = move |tx: &mut dyn Tx, actor| {
            policy::may_administer(actor)?;
            let mut webhook = tx.lock_webhook(id)?.ok_or(WebhookError::NotFound(id))?;
            alter(&mut webhook, tx)?;
            tx.save_webhook(&webhook)?;
            Ok(webhook.into_inner())
        };
        let result = self.context.run_as(caller, "change_webhook", work).await;
        self.webhook_watch.forget();
        result
    }

    fn check_address(&self, url: &WebhookUrl) -> Result<(), WebhookError> {
        self.webhook_sender.check(url).map_err(|_| WebhookError::ForbiddenAddress)
    }

    fn new_webhook_secret(&self) -> WebhookSecret {
        // The hash of a token is as random as the token.
        let (_, TokenHash(secret)) = self.tokens.issue();
        WebhookSecret(secret)
    }
}
