//! `POST /posts/{id}/comments` and `POST /markets/{id}/comments`: create a comment.

use std::str::FromStr;

use actix_web::web::Data;
use foretell_domain::comment::CommentSubject;
use foretell_domain::id::IdError;
use foretell_domain::text::CommentContent;
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::comment::CommentView;
use crate::dto::parsed::{Parsed, required};
use crate::error::ErrorCode;
use crate::extract::{Body, Manage, PathId, RequestContext, RequestDto, SignedIn};
use crate::reply::{self, HandlerResult};

/// A new comment.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({ "content": "Indeed." }))]
pub(super) struct NewComment {
    #[garde(required, dive)]
    #[schema(required = true, value_type = String, min_length = 1, max_length = 5000)]
    content: Option<Parsed<CommentContent>>,
}

impl RequestDto for NewComment {
    type Input = CommentContent;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> CommentContent {
        required(valid.into_inner().content)
    }
}

/// Creates a comment on a post or market. Also fails with `NOT_FOUND` for another user's draft.
#[utoipa::path(
    post,
    path = "/posts/{id}/comments",
    operation_id = "createPostComment",
    tag = "comments",
    request_body = NewComment,
    responses((status = 201, description = "Made.", body = CommentView<'static>)),
    security(("bearer" = ["manage"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::QuotaExceeded]))),
)]
pub(super) async fn create<Id>(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Manage>,
    id: PathId<Id>,
    body: Body<NewComment>,
) -> HandlerResult
where
    Id: FromStr<Err = IdError> + Into<CommentSubject> + 'static,
{
    let (id, content) = state.validate((id, body))?;
    let comment = state.application.content.write_comment(&caller, id.into(), content).await?;
    reply::created(format_args!("/comments/{}", comment.id), CommentView::from(&comment))
}
