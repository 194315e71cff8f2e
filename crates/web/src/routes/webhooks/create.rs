//! `POST /webhooks`: creates a webhook.

use actix_web::web::Data;
use foretell_application::NewWebhook;
use foretell_domain::webhook::{WebhookEvent, WebhookEvents, WebhookUrl};
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::parsed::{Distinct, Parsed, required, validated};
use crate::dto::webhook::WebhookWithSecret;
use crate::error::ErrorCode;
use crate::extract::{AdminOnly, Body, Manage, RequestContext, RequestDto};
use crate::openapi::names::WebhookEventName;
use crate::reply::{self, HandlerResult};

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({ "url": "https://example.org/hook", "events": ["market.status"] }))]
pub(super) struct WebhookBody {
    #[garde(required, dive)]
    #[schema(required = true, value_type = String, max_length = 500)]
    url: Option<Parsed<WebhookUrl>>,
    #[garde(required, length(min = 1, max = WebhookEvent::ALL.len()), dive)]
    #[schema(required = true, value_type = Vec<WebhookEventName>, min_items = 1, max_items = 2)]
    events: Option<Distinct<WebhookEvent>>,
}

impl RequestDto for WebhookBody {
    type Input = NewWebhook;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> NewWebhook {
        let Self { url, events } = valid.into_inner();
        let events = WebhookEvents::new(validated(events).into_values());
        NewWebhook { url: required(url), events: validated(events) }
    }
}

/// Creates a webhook; its secret is returned only once. It receives events from now on. Fails with
/// `CONFLICT` if the maximum number of webhooks is reached.
#[utoipa::path(
    post,
    path = "/webhooks",
    operation_id = "createWebhook",
    tag = "webhooks",
    request_body = WebhookBody,
    responses((status = 201, description = "Made.", body = WebhookWithSecret<'static>)),
    security(("bearer" = ["admin"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::Conflict]))),
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
