//! Request and response types of webhooks, for admins.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use foretell_domain::id::WebhookId;
use foretell_domain::webhook::WebhookEvent;
use foretell_ports::webhook::{Webhook, WebhookSecret};
use serde::Serialize;
use utoipa::ToSchema;

use super::text::Text;
use super::time::Time;
use crate::openapi::names::{Id, WebhookEventName, WebhookStatusName};

/// A webhook, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebhookView<'a> {
    #[schema(value_type = Id)]
    id: Text<WebhookId>,
    url: &'a str,
    #[schema(value_type = Vec<WebhookEventName>)]
    events: Vec<&'static str>,
    #[schema(value_type = WebhookStatusName)]
    status: &'static str,
    created_at: Time,
    failing_since: Option<Time>,
    failure: Option<&'a str>,
}

impl<'a> WebhookView<'a> {
    /// Creates the response from a webhook.
    pub(crate) fn new(webhook: &'a Webhook) -> Self {
        Self {
            id: Text(webhook.id),
            url: webhook.url.as_str(),
            events: webhook.events.iter().map(WebhookEvent::as_str).collect(),
            status: webhook.status.as_str(),
            created_at: Time(webhook.created_at),
            failing_since: webhook.failing.as_ref().map(|(since, _)| Time(*since)),
            failure: webhook.failing.as_ref().map(|(_, failure)| failure.as_str()),
        }
    }
}

/// A webhook with its secret, which is returned only when it is new.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebhookWithSecret<'a> {
    #[serde(flatten)]
    webhook: WebhookView<'a>,
    secret: String,
}

impl<'a> WebhookWithSecret<'a> {
    /// Creates the response from a webhook.
    pub(crate) fn new(webhook: &'a Webhook) -> Self {
        Self { webhook: WebhookView::new(webhook), secret: written_secret(&webhook.secret) }
    }
}

/// Returns a secret in the form of Standard Webhooks: `whsec_` and the base64 of its 32 bytes.
fn written_secret(secret: &WebhookSecret) -> String {
    format!("whsec_{}", STANDARD.encode(secret.0))
}
