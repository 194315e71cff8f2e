//! `PATCH /comments/{id}`: changes a comment.

use actix_web::web::Data;
use foretell_domain::id::CommentId;
use foretell_domain::text::CommentContent;
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::comment::CommentView;
use crate::dto::parsed::{Parsed, optional};
use crate::extract::{Body, Manage, PathId, RequestContext, RequestDto, SignedIn};
use crate::reply::{self, HandlerResult};

/// Changes of a comment; a field that is left out stays unchanged.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(as = CommentEditBody, example = json!({ "content": "Indeed so." }))]
pub(super) struct EditBody {
    #[garde(dive)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    content: Option<Parsed<CommentContent>>,
}

impl RequestDto for EditBody {
    type Input = Option<CommentContent>;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> Option<CommentContent> {
        optional(valid.into_inner().content)
    }
}

/// Changes the text of a comment; for its author, moderators and admins.
#[utoipa::path(
    patch,
    path = "/comments/{id}",
    operation_id = "updateComment",
    tag = "comments",
    request_body = EditBody,
    responses((status = 200, description = "Done.", body = CommentView<'static>)),
    security(("bearer" = ["manage"]), ("cookie" = [])),
)]
pub(super) async fn update(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Manage>,
    id: PathId<CommentId>,
    body: Body<EditBody>,
) -> HandlerResult {
    let (id, content) = state.validate((id, body))?;
    let comment = state.application.content.edit_comment(&caller, id, content).await?;
    reply::ok(CommentView::from(&comment))
}
