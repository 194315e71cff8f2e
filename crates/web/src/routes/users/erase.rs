//! `DELETE /users/{id}`: deletes the caller.

use actix_web::web::Data;
use foretell_domain::id::UserId;

use crate::WebState;
use crate::extract::{InSession, NoParams, Params, PathId};
use crate::reply::{self, Answer};
use crate::routes::sessions::forget_cookie;

/// Deletes the caller, who names themselves: name, picture, mail address and password go, the ledger stays.
/// 204, 401 `UNAUTHORIZED`, 403 `FORBIDDEN` for an API key and for anyone else, 409 `CONFLICT` for the last
/// active admin.
#[utoipa::path(
    delete,
    path = "/users/{id}",
    operation_id = "eraseUser",
    tag = "users",
    responses((status = 204, description = "Done; there is nothing to tell.")),
    security(("bearer" = ["session"]), ("cookie" = [])),
)]
pub(super) async fn erase(
    state: Data<WebState>,
    InSession(caller): InSession,
    id: PathId<UserId>,
    params: Params<NoParams>,
) -> Answer {
    let (id, ()) = state.accept((id, params))?;
    state.application.erase_user(&caller, id).await?;
    forget_cookie(reply::no_content(), &state.settings)
}
