//! `DELETE /webhooks/{id}`: deletes a webhook.

use actix_web::web::Data;
use foretell_domain::id::WebhookId;

use crate::WebState;
use crate::extract::{AdminOnly, Manage, NoParams, Params, PathId};
use crate::reply::{self, HandlerResult};

/// Deletes a webhook; undelivered events are never sent.
#[utoipa::path(
    delete,
    path = "/webhooks/{id}",
    operation_id = "deleteWebhook",
    tag = "webhooks",
    responses((status = 204, description = "No content.")),
    security(("bearer" = ["admin"]), ("cookie" = [])),
)]
pub(super) async fn delete(
    state: Data<WebState>,
    AdminOnly(caller, ..): AdminOnly<Manage>,
    id: PathId<WebhookId>,
    params: Params<NoParams>,
) -> HandlerResult {
    let (id, ()) = state.validate((id, params))?;
    state.application.notifications.delete_webhook(&caller, id).await?;
    Ok(reply::no_content())
}
