//! `GET /webhooks/{id}`: returns a webhook.

use actix_web::web::Data;
use foretell_domain::id::WebhookId;

use crate::WebState;
use crate::dto::webhook::WebhookView;
use crate::extract::{AdminOnly, Manage, NoParams, Params, PathId};
use crate::reply::{self, HandlerResult};

/// Returns a webhook without its secret, and the state of its deliveries.
#[utoipa::path(
    get,
    path = "/webhooks/{id}",
    operation_id = "getWebhook",
    tag = "webhooks",
    responses((status = 200, description = "Done.", body = WebhookView<'static>)),
    security(("bearer" = ["admin"]), ("cookie" = [])),
)]
pub(super) async fn get(
    state: Data<WebState>,
    AdminOnly(caller, ..): AdminOnly<Manage>,
    id: PathId<WebhookId>,
    params: Params<NoParams>,
) -> HandlerResult {
    let (id, ()) = state.validate((id, params))?;
    let webhook = state.application.notifications.get_webhook(&caller, id).await?;
    reply::ok(WebhookView::new(&webhook))
}
