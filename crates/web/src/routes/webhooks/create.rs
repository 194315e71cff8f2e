//! `POST /webhooks`: creates a webhook.

use actix_web::web::Data;
use foretell_application::NewWebhook;
use foretell_domain::webhook::WebhookEvent;
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::webhook::{self, WebhookWithSecret};
use crate::extract::{AdminOnly, Body, Manage, ParseContext, ParseRequest};
use crate::openapi::names::WebhookEventName;
use crate::reply::{self, HandlerResult};
use crate::validation::ValidationErrors;

#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[schema(example = json!({ "url": "https://example.org/hook", "events": ["market.status"] }))]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookBody {
    #[garde(required)]
    #[schema(required = true, value_type = String, max_length = 500)]
    url: Option<String>,
    #[garde(required, length(min = 1, max = WebhookEvent::ALL.len()))]
    #[schema(required = true, value_type = Vec<WebhookEventName>, min_items = 1, max_items = 2)]
    events: Option<Vec<String>>,
}

impl ParseRequest for WebhookBody {
    type Input = NewWebhook;

    fn parse(self, errors: &mut ValidationErrors, _: &ParseContext<'_>) -> Option<NewWebhook> {
        let url = errors.require("url", self.url).and_then(|text| webhook::url(text, errors));
        let events = errors.require("events", self.events).and_then(|names| webhook::events(&names, errors));
        Some(NewWebhook { url: url?, events: events? })
    }
}

/// Creates a webhook; its secret is returned only once. It receives events from now on. 201, 400
/// `VALIDATION_ERROR`, 401 `UNAUTHORIZED`, 403 `FORBIDDEN`, 409 `CONFLICT` if the maximum number of
/// webhooks is reached.
#[utoipa::path(
    post,
    path = "/webhooks",
    operation_id = "createWebhook",
    tag = "webhooks",
    request_body = WebhookBody,
    responses((status = 201, description = "Made.", body = WebhookWithSecret<'static>)),
    security(("bearer" = ["admin"]), ("cookie" = [])),
)]
pub(super) async fn create(
    state: Data<WebState>,
    AdminOnly(caller, ..): AdminOnly<Manage>,
    body: Body<WebhookBody>,
) -> HandlerResult {
    let new = state.validate(body)?;
    let webhook = state.application.notifications.create_webhook(&caller, new).await?;
    reply::created(format_args!("/webhooks/{}", webhook.id), WebhookWithSecret::new(&webhook))
}
