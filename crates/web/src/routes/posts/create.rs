//! `POST /posts`: creates a post.

use actix_web::web::Data;
use foretell_domain::post::PostBody;
use foretell_domain::tag::{MAX_TAGS, Tag};
use foretell_domain::text::{PostContent, PostTitle};
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::parsed::{Distinct, Parsed, optional, required};
use crate::dto::post::PostView;
use crate::dto::post::status_of;
use crate::dto::tag::tags;
use crate::error::ErrorCode;
use crate::extract::{Body, Manage, RequestContext, RequestDto, SignedIn};
use crate::reply::{self, HandlerResult};

/// A new post: by default a draft without tags.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({
    "title": "On rain",
    "content": "It may.",
    "published": true,
    "tags": ["sky"],
}))]
pub(super) struct NewPost {
    #[garde(required, dive)]
    #[schema(required = true, value_type = String, min_length = 1, max_length = 200)]
    title: Option<Parsed<PostTitle>>,
    #[garde(required, dive)]
    #[schema(required = true, value_type = String, min_length = 1, max_length = 50000)]
    content: Option<Parsed<PostContent>>,
    #[garde(dive)]
    #[schema(value_type = Option<bool>)]
    published: Option<Parsed<bool>>,
    #[garde(length(max = MAX_TAGS), dive)]
    #[schema(value_type = Option<Vec<String>>, max_items = 10)]
    tags: Option<Distinct<Tag>>,
}

impl RequestDto for NewPost {
    type Input = PostBody;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> PostBody {
        let Self { title, content, published, tags: given } = valid.into_inner();
        PostBody {
            title: required(title),
            content: required(content),
            tags: given.map(tags).unwrap_or_default(),
            status: status_of(optional(published).unwrap_or_default()),
        }
    }
}

/// Creates a post of the caller. Fails with `QUOTA_EXCEEDED` if they have the maximum number of
/// published posts or drafts.
#[utoipa::path(
    post,
    path = "/posts",
    operation_id = "createPost",
    tag = "posts",
    request_body = NewPost,
    responses((status = 201, description = "Made.", body = PostView<'static>)),
    security(("bearer" = ["manage"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::QuotaExceeded]))),
)]
pub(super) async fn create(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Manage>,
    body: Body<NewPost>,
) -> HandlerResult {
    let body = state.validate(body)?;
    let post = state.application.content.write_post(&caller, body).await?;
    let created = reply::created(format_args!("/posts/{}", post.id), PostView::new(&post))?;
    reply::tagged(reply::version_tag(post.version), created)
}
