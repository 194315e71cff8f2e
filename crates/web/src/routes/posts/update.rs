//! `PATCH /posts/{id}`: changes a post.

use actix_web::web::Data;
use foretell_domain::id::PostId;
use foretell_domain::post::PostEdit;
use foretell_domain::text::{PostContent, PostTitle};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::status_of;
use crate::WebState;
use crate::dto::post::PostView;
use crate::dto::tag::read_tags;
use crate::extract::{Body, IfMatch, Manage, ParseContext, ParseRequest, PathId, SignedIn};
use crate::reply::{self, HandlerResult};
use crate::validation::ValidationErrors;

/// Changes of a post; fields that are left out stay unchanged.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[schema(as = PostEditBody, example = json!({ "title": "On snow", "tags": [] }))]
#[serde(rename_all = "camelCase")]
pub(super) struct EditBody {
    #[garde(skip)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    title: Option<String>,
    #[garde(skip)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 50000)]
    content: Option<String>,
    #[garde(skip)]
    published: Option<bool>,
    #[garde(skip)]
    #[schema(max_items = 10)]
    tags: Option<Vec<String>>,
}

impl ParseRequest for EditBody {
    type Input = PostEdit;

    fn parse(self, errors: &mut ValidationErrors, _: &ParseContext<'_>) -> Option<PostEdit> {
        let title = errors.optional("title", self.title, PostTitle::new);
        let content = errors.optional("content", self.content, PostContent::new);
        let tags = self.tags.map_or(Some(None), |texts| read_tags(&texts, errors).map(Some));
        Some(PostEdit {
            title: title?,
            content: content?,
            tags: tags?,
            status: self.published.map(status_of),
        })
    }
}

/// Changes a post of the caller; moderators and admins may change any published post. 200, 400
/// `VALIDATION_ERROR`, 401 `UNAUTHORIZED`, 403 `FORBIDDEN`, 404 `NOT_FOUND`, 409 `QUOTA_EXCEEDED`
/// if an author changes its status without room in the quota, 412 `PRECONDITION_FAILED` if the post
/// has another version than `If-Match` requires.
#[utoipa::path(
    patch,
    path = "/posts/{id}",
    operation_id = "updatePost",
    tag = "posts",
    request_body = EditBody,
    params(("If-Match" = Option<String>, Header)),
    responses((status = 200, description = "Done.", body = PostView<'static>)),
    security(("bearer" = ["manage"]), ("cookie" = [])),
)]
pub(super) async fn update(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Manage>,
    id: PathId<PostId>,
    expected: IfMatch,
    body: Body<EditBody>,
) -> HandlerResult {
    let (id, expected, edit) = state.validate((id, expected, body))?;
    let post = state.application.content.edit_post(&caller, id, edit, expected).await?;
    reply::tagged(reply::version_tag(post.version), reply::ok(PostView::new(&post))?)
}
