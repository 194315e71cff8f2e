//! `PATCH /webhooks/{id}`: changes a webhook.

use actix_web::web::Data;
use foretell_application::WebhookChange;
use foretell_domain::id::WebhookId;
use foretell_domain::webhook::{WebhookEvent, WebhookStatus};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::webhook::{self, WebhookView};
use crate::extract::{AdminOnly, Body, Manage, ParseContext, ParseRequest, PathId};
use crate::openapi::names::{WebhookEventName, WebhookStatusName};
use crate::reply::{self, HandlerResult};
use crate::validation::{FieldErrorCode, ValidationErrors};

#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[schema(example = json!({ "status": "enabled" }))]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookChangeBody {
    #[garde(skip)]
    #[schema(value_type = Option<String>, max_length = 500)]
    url: Option<String>,
    #[garde(inner(length(min = 1, max = WebhookEvent::ALL.len())))]
    #[schema(value_type = Option<Vec<WebhookEventName>>, min_items = 1, max_items = 2)]
    events: Option<Vec<String>>,
    #[garde(skip)]
    #[schema(value_type = Option<WebhookStatusName>)]
    status: Option<String>,
}

impl ParseRequest for WebhookChangeBody {
    type Input = WebhookChange;

    fn parse(self, errors: &mut ValidationErrors, _: &ParseContext<'_>) -> Option<WebhookChange> {
        let url = self.url.map(|text| webhook::url(text, errors).ok_or(()));
        let events = self.events.map(|names| webhook::events(&names, errors).ok_or(()));
        let status = self.status.map(|name| {
            let status = WebhookStatus::from_name(&name);
            status.ok_or_else(|| errors.add("status", FieldErrorCode::Invalid, "must be enabled or disabled"))
        });
        let (url, events) = (url.transpose().ok()?, events.transpose().ok()?);
        Some(WebhookChange { url, events, status: status.transpose().ok()? })
    }
}

/// Changes a webhook. Events that happen while it is disabled are never sent. 200 with it, 400
/// `VALIDATION_ERROR`, 401 `UNAUTHORIZED`, 403 `FORBIDDEN`, 404 `NOT_FOUND`.
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
