//! `GET /users`: who there is.

use actix_web::web::Data;

use crate::WebState;
use crate::dto::page::PageParams;
use crate::dto::user::UserView;
use crate::extract::{Params, Read, SignedIn};
use crate::reply::{self, Answer};

/// Lists the users, newest first, without those who are deleted. 200, 400 `VALIDATION_ERROR`,
/// 401 `UNAUTHORIZED`, 403 `FORBIDDEN`.
#[utoipa::path(
    get,
    path = "/users",
    operation_id = "listUsers",
    tag = "users",
    responses((status = 200, description = "Done.", body = Vec<UserView<'static>>)),
    security(("bearer" = ["read"]), ("cookie" = [])),
)]
pub(super) async fn list(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Read>,
    params: Params<PageParams>,
) -> Answer {
    let paging = state.accept(params)?;
    let mut users = state.application.list_users(paging.stretch()).await?;
    let meta = paging.meta(&mut users, |user| user.id, state.application.count_users()).await?;
    let rows: Vec<_> = users.iter().map(|user| UserView::seen_by(caller.actor(), user)).collect();
    reply::list(rows, meta)
}
