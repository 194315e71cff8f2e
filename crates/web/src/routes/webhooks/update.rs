//! `PATCH /webhooks/{id}`: changes a webhook.

use actix_web::web::Data;
use foretell_application::WebhookChange;
use foretell_domain::id::WebhookId;
use foretell_domain::webhook::{WebhookEvent, WebhookEvents, WebhookStatus, WebhookUrl};
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::parsed::{Distinct, Parsed, optional, validated};
use crate::dto::webhook::WebhookView;
use crate::extract::{AdminOnly, Body, Manage, PathId, RequestContext, RequestDto};
use crate::openapi::names::{WebhookEventName, WebhookStatusName};
use crate::reply::{self, HandlerResult};

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({ "status": "enabled" }))]
pub(super) struct WebhookChangeBody {
    #[garde(dive)]
    #[schema(value_type = Option<String>, max_length = 500)]
    url: Option<Parsed<WebhookUrl>>,
    #[garde(length(min = 1, max = WebhookEvent::ALL.len()), dive)]
    #[schema(value_type = Option<Vec<WebhookEventName>>, min_items = 1, max_items = 2)]
    events: Option<Distinct<WebhookEvent>>,
    #[garde(dive)]
    #[schema(value_type = Option<WebhookStatusName>)]
    status: Option<Parsed<WebhookStatus>>,
}

impl RequestDto for WebhookChangeBody {
    type Input = WebhookChange;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> WebhookChange {
        let Self { url, events, status } = valid.into_inner();
        let events = events.map(|events| validated(WebhookEvents::new(events.into_values())));
        WebhookChange { url: optional(url), events, status: optional(status) }
    }
}

/// Changes a webhook. Events that happen while it is disabled are never sent.
#[utoipa::path(
    patch,
    path = "/webhooks/{id}",
    operation_id = "updateWebhook",
    tag = "webhooks",
    request_body = WebhookChangeBody,
    responses((status = 200, description = "Done.", body = WebhookView<'static>)),
    security(("bearer" = ["admin"]), ("cookie" = [])),
)]
pub(super) async fn update(
    state: Data<WebState>,
    AdminOnly(caller, ..): AdminOnly<Manage>,
    id: PathId<WebhookId>,
    body: Body<WebhookChangeBody>,
) -> HandlerResult {
    let (id, change) = state.validate((id, body))?;
    let webhook = state.application.notifications.change_webhook(&caller, id, change).await?;
    reply::ok(WebhookView::new(&webhook))
}
