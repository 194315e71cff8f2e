//! `PATCH /comments/{id}`: changes a comment.

use actix_web::web::Data;
use foretell_domain::id::CommentId;
use foretell_domain::text::CommentContent;
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::comment::CommentView;
use crate::extract::{Body, Manage, ParseContext, ParseRequest, PathId, SignedIn};
use crate::reply::{self, HandlerResult};
use crate::validation::ValidationErrors;

/// Changes of a comment; a field that is left out stays unchanged.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[schema(as = CommentEditBody, example = json!({ "content": "Indeed so." }))]
#[serde(rename_all = "camelCase")]
pub(super) struct EditBody {
    #[garde(skip)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    content: Option<String>,
}

impl ParseRequest for EditBody {
    type Input = Option<CommentContent>;

    fn parse(self, errors: &mut ValidationErrors, _: &ParseContext<'_>) -> Option<Self::Input> {
        errors.optional("content", self.content, CommentContent::new)
    }
}

/// Changes the text of a comment; for its author, moderators and admins. 200, 400
/// `VALIDATION_ERROR`, 401 `UNAUTHORIZED`, 403 `FORBIDDEN`, 404 `NOT_FOUND`.
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
