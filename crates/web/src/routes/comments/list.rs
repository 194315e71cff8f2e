//! `GET /posts/{id}/comments` and `GET /markets/{id}/comments`: list comments on a subject.

use std::str::FromStr;

use actix_web::web::Data;
use foretell_domain::comment::CommentSubject;
use foretell_domain::id::IdError;

use crate::WebState;
use crate::dto::comment::CommentView;
use crate::extract::{MaybeSignedIn, Pagination, Params, PathId};
use crate::reply::{self, HandlerResult};

/// Lists comments, newest first. Also fails with `NOT_FOUND` for another user's draft.
#[utoipa::path(
    get,
    path = "/posts/{id}/comments",
    operation_id = "listPostComments",
    tag = "comments",
    responses((status = 200, description = "Done.", body = Vec<CommentView<'static>>)),
    security((), ("bearer" = ["read"]), ("cookie" = [])),
)]
pub(super) async fn list<Id>(
    state: Data<WebState>,
    caller: MaybeSignedIn,
    id: PathId<Id>,
    params: Params<Pagination>,
) -> HandlerResult
where
    Id: FromStr<Err = IdError> + Into<CommentSubject> + 'static,
{
    let (id, paging) = state.validate((id, params))?;
    let (application, subject) = (&state.application, id.into());
    let mut found =
        application.content.list_comments(caller.caller(), subject, paging.request()).await?;
    let total = application.queries.posts.count_comments(subject);
    let meta = paging.meta(&mut found, |comment| comment.id, total).await?;
    let rows: Vec<_> = found.iter().map(CommentView::from).collect();
    reply::list(rows, meta)
}
