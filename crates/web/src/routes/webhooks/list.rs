//! `GET /webhooks`: lists webhooks.

use actix_web::web::Data;

use crate::WebState;
use crate::dto::webhook::WebhookView;
use crate::extract::{AdminOnly, Manage, Pagination, Params};
use crate::reply::{self, HandlerResult};

/// Lists the webhooks without their secrets, newest first.
#[utoipa::path(
    get,
    path = "/webhooks",
    operation_id = "listWebhooks",
    tag = "webhooks",
    responses((status = 200, description = "Done.", body = Vec<WebhookView<'static>>)),
    security(("bearer" = ["admin"]), ("cookie" = [])),
)]
pub(super) async fn list(
    state: Data<WebState>,
    AdminOnly(caller, ..): AdminOnly<Manage>,
    params: Params<Pagination>,
) -> HandlerResult {
    let paging = state.validate(params)?;
    let mut webhooks =
        state.application.notifications.list_webhooks(&caller, paging.request()).await?;
    let meta = paging
        .meta(
            &mut webhooks,
            |webhook| webhook.id,
            state.application.queries.webhooks.count_all_webhooks(),
        )
        .await?;
    reply::list(webhooks.iter().map(WebhookView::new).collect::<Vec<_>>(), meta)
}
