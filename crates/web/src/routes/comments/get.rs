//! `GET /comments/{id}`: returns a comment.

use actix_web::web::Data;
use foretell_domain::id::CommentId;

use crate::WebState;
use crate::dto::comment::CommentView;
use crate::extract::{MaybeSignedIn, NoParams, Params, PathId};
use crate::reply::{self, HandlerResult};

/// Returns a comment. Also fails with `NOT_FOUND` for comments on another user's draft.
#[utoipa::path(
    get,
    path = "/comments/{id}",
    operation_id = "getComment",
    tag = "comments",
    responses((status = 200, description = "Done.", body = CommentView<'static>)),
    security((), ("bearer" = ["read"]), ("cookie" = [])),
)]
pub(super) async fn get(
    state: Data<WebState>,
    caller: MaybeSignedIn,
    id: PathId<CommentId>,
    params: Params<NoParams>,
) -> HandlerResult {
    let (id, ()) = state.validate((id, params))?;
    let comment = state.application.content.get_comment(caller.caller(), id).await?;
    reply::ok(CommentView::from(&comment))
}
