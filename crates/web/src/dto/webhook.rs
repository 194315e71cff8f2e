//! Request and response types of webhooks, for admins.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use foretell_domain::id::WebhookId;
use foretell_domain::webhook::{WebhookEvent, WebhookEvents, WebhookUrl};
use foretell_ports::webhook::{Webhook, WebhookSecret};
use serde::Serialize;
use utoipa::ToSchema;

use super::text::Text;
use super::time::Time;
use crate::openapi::names::{Id, WebhookEventName, WebhookStatusName};
use crate::validation::{FieldErrorCode, ValidationErrors};

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

/// Parses the URL in a request.
pub(crate) fn url(text: String, errors: &mut ValidationErrors) -> Option<WebhookUrl> {
    errors.check("url", WebhookUrl::new(text))
}

/// Parses the events in a request, at least one and each once.
pub(crate) fn events(names: &[String], errors: &mut ValidationErrors) -> Option<WebhookEvents> {
    let mut known = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let field = format!("events[{index}]");
        match WebhookEvent::from_name(name) {
            None => errors.add(&field, FieldErrorCode::Invalid, "must be market.trade or market.status"),
            Some(event) if known.contains(&event) => {
                errors.add(&field, FieldErrorCode::Repeated, "must differ from the other events");
            }
            Some(event) => known.push(event),
        }
    }
    if names.is_empty() {
        errors.add("events", FieldErrorCode::Length, "must name at least one event");
    }
    (!known.is_empty() && known.len() == names.len()).then(|| known.into_iter().collect())
}
