//! `DELETE /posts/{id}`: deletes a post.

use actix_web::web::Data;
use foretell_domain::id::PostId;

use crate::WebState;
use crate::extract::{Manage, NoParams, Params, PathId, SignedIn};
use crate::reply::{self, HandlerResult};

/// Deletes a post with all its comments; for everyone who may change it.
#[utoipa::path(
    delete,
    path = "/posts/{id}",
    operation_id = "deletePost",
    tag = "posts",
    responses((status = 204, description = "No content.")),
    security(("bearer" = ["manage"]), ("cookie" = [])),
)]
pub(super) async fn delete(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Manage>,
    id: PathId<PostId>,
    params: Params<NoParams>,
) -> HandlerResult {
    let (id, ()) = state.validate((id, params))?;
    state.application.content.delete_post(&caller, id).await?;
    Ok(reply::no_content())
}
