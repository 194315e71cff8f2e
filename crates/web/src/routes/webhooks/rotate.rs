//! `POST /webhooks/{id}/secret`: rotates the secret of a webhook.

use actix_web::web::Data;
use foretell_domain::id::WebhookId;

use crate::WebState;
use crate::dto::webhook::WebhookWithSecret;
use crate::extract::{AdminOnly, Manage, NoParams, Params, PathId};
use crate::reply::{self, HandlerResult};

/// Creates a new secret of a webhook, which is returned only once; the previous one also signs for
/// another 24 hours.
#[utoipa::path(
    post,
    path = "/webhooks/{id}/secret",
    operation_id = "rotateWebhookSecret",
    tag = "webhooks",
    responses((status = 200, description = "Done.", body = WebhookWithSecret<'static>)),
    security(("bearer" = ["admin"]), ("cookie" = [])),
)]
pub(super) async fn rotate(
    state: Data<WebState>,
    AdminOnly(caller, ..): AdminOnly<Manage>,
    id: PathId<WebhookId>,
    params: Params<NoParams>,
) -> HandlerResult {
    let (id, ()) = state.validate((id, params))?;
    let webhook = state.application.notifications.rotate_webhook_secret(&caller, id).await?;
    reply::ok(WebhookWithSecret::new(&webhook))
}
