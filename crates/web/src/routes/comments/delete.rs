//! `DELETE /comments/{id}`: deletes a comment.

use actix_web::web::Data;
use foretell_domain::id::CommentId;

use crate::WebState;
use crate::extract::{Manage, NoParams, Params, PathId, SignedIn};
use crate::reply::{self, HandlerResult};

/// Deletes a comment; for its author, moderators and admins.
#[utoipa::path(
    delete,
    path = "/comments/{id}",
    operation_id = "deleteComment",
    tag = "comments",
    responses((status = 204, description = "No content.")),
    security(("bearer" = ["manage"]), ("cookie" = [])),
)]
pub(super) async fn delete(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Manage>,
    id: PathId<CommentId>,
    params: Params<NoParams>,
) -> HandlerResult {
    let (id, ()) = state.validate((id, params))?;
    state.application.content.delete_comment(&caller, id).await?;
    Ok(reply::no_content())
}
