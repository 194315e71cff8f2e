//! `PATCH /posts/{id}`: changes a post.

use actix_web::web::Data;
use foretell_domain::id::PostId;
use foretell_domain::post::PostEdit;
use foretell_domain::tag::{MAX_TAGS, Tag};
use foretell_domain::text::{PostContent, PostTitle};
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::parsed::{Distinct, Parsed, optional};
use crate::dto::post::PostView;
use crate::dto::post::status_of;
use crate::dto::tag::tags;
use crate::error::ErrorCode;
use crate::extract::{Body, IfMatch, Manage, PathId, RequestContext, RequestDto, SignedIn};
use crate::reply::{self, HandlerResult};

/// Changes of a post; fields that are left out stay unchanged.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(as = PostEditBody, example = json!({ "title": "On snow", "tags": [] }))]
pub(super) struct EditBody {
    #[garde(dive)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    title: Option<Parsed<PostTitle>>,
    #[garde(dive)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 50000)]
    content: Option<Parsed<PostContent>>,
    #[garde(dive)]
    #[schema(value_type = Option<bool>)]
    published: Option<Parsed<bool>>,
    #[garde(length(max = MAX_TAGS), dive)]
    #[schema(value_type = Option<Vec<String>>, max_items = 10)]
    tags: Option<Distinct<Tag>>,
}

impl RequestDto for EditBody {
    type Input = PostEdit;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> PostEdit {
        let Self { title, content, published, tags: given } = valid.into_inner();
        PostEdit {
            title: optional(title),
            content: optional(content),
            tags: given.map(tags),
            status: optional(published).map(status_of),
        }
    }
}

/// Changes a post of the caller; moderators and admins may change any published post. Fails with
/// `QUOTA_EXCEEDED` if an author changes its status without room in the quota. Fails with
/// `PRECONDITION_FAILED` if the post has another version than `If-Match` requires.
#[utoipa::path(
    patch,
    path = "/posts/{id}",
    operation_id = "updatePost",
    tag = "posts",
    request_body = EditBody,
    params(("If-Match" = Option<String>, Header)),
    responses((status = 200, description = "Done.", body = PostView<'static>)),
    security(("bearer" = ["manage"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::QuotaExceeded]))),
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
