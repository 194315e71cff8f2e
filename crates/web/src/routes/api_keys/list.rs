//! `GET /api-keys`: lists the caller's API keys.

use actix_web::web::Data;

use crate::WebState;
use crate::dto::api_key::ApiKeyView;
use crate::extract::{Pagination, Params, Read, SignedIn};
use crate::reply::{self, HandlerResult};

/// Lists the caller's API keys without their secrets, newest first.
#[utoipa::path(
    get,
    path = "/api-keys",
    operation_id = "listApiKeys",
    tag = "api-keys",
    responses((status = 200, description = "Done.", body = Vec<ApiKeyView<'static>>)),
    security(("bearer" = ["read"]), ("cookie" = [])),
)]
pub(super) async fn list(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Read>,
    params: Params<Pagination>,
) -> HandlerResult {
    let paging = state.validate(params)?;
    let mut keys = state.application.identity.list_api_keys(&caller, paging.request()).await?;
    let meta = paging
        .meta(&mut keys, |key| key.id, state.application.identity.count_api_keys(&caller))
        .await?;
    reply::list(keys.iter().map(ApiKeyView::new).collect::<Vec<_>>(), meta)
}
