//! `DELETE /api-keys/{id}`: deletes an API key.

use actix_web::web::Data;
use foretell_domain::id::ApiKeyId;

use crate::WebState;
use crate::extract::{InSession, NoParams, Params, PathId};
use crate::reply::{self, HandlerResult};

/// Deletes one of the caller's API keys, which is invalid immediately. Fails with `FORBIDDEN` for
/// an API key. Also fails with `NOT_FOUND` for keys of other users.
#[utoipa::path(
    delete,
    path = "/api-keys/{id}",
    operation_id = "deleteApiKey",
    tag = "api-keys",
    responses((status = 204, description = "No content.")),
    security(("bearer" = ["session"]), ("cookie" = [])),
)]
pub(super) async fn delete(
    state: Data<WebState>,
    InSession(caller): InSession,
    id: PathId<ApiKeyId>,
    params: Params<NoParams>,
) -> HandlerResult {
    let (id, ()) = state.validate((id, params))?;
    state.application.identity.delete_api_key(&caller, id).await?;
    Ok(reply::no_content())
}
