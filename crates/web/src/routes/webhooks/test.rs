//! `POST /webhooks/{id}/test`: sends a test message.

use actix_web::web::Data;
use foretell_domain::id::WebhookId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::extract::{AdminOnly, Manage, NoParams, Params, PathId};
use crate::reply::{self, HandlerResult};

/// Result of a test message.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WebhookTest {
    is_delivered: bool,
    failure: Option<String>,
}

/// Sends a message of the type `webhook.test` to a webhook, enabled or not, and waits for its
/// response.
#[utoipa::path(
    post,
    path = "/webhooks/{id}/test",
    operation_id = "testWebhook",
    tag = "webhooks",
    responses((status = 200, description = "Done.", body = WebhookTest)),
    security(("bearer" = ["admin"]), ("cookie" = [])),
)]
pub(super) async fn test(
    state: Data<WebState>,
    AdminOnly(caller, ..): AdminOnly<Manage>,
    id: PathId<WebhookId>,
    params: Params<NoParams>,
) -> HandlerResult {
    let (id, ()) = state.validate((id, params))?;
    let failure = state.application.notifications.test_webhook(&caller, id).await?.err();
    let failure = failure.map(|failure| failure.to_string());
    reply::ok(WebhookTest { is_delivered: failure.is_none(), failure })
}
