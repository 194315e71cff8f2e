//! `POST /posts`: creates a post.

use actix_web::web::Data;
use foretell_domain::post::PostBody;
use foretell_domain::text::{PostContent, PostTitle};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::status_of;
use crate::WebState;
use crate::dto::post::PostView;
use crate::dto::tag::read_tags;
use crate::extract::{Body, Manage, ParseContext, ParseRequest, SignedIn};
use crate::reply::{self, HandlerResult};
use crate::validation::ValidationErrors;

/// A new post: by default a draft without tags.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[schema(example = json!({ "title": "On rain", "content": "It may.", "published": true, "tags": ["sky"] }))]
#[serde(rename_all = "camelCase")]
pub(super) struct NewPost {
    #[garde(required)]
    #[schema(required = true, value_type = String, min_length = 1, max_length = 200)]
    title: Option<String>,
    #[garde(required)]
    #[schema(required = true, value_type = String, min_length = 1, max_length = 50000)]
    content: Option<String>,
    #[garde(skip)]
    published: Option<bool>,
    #[garde(skip)]
    #[schema(max_items = 10)]
    tags: Option<Vec<String>>,
}

impl ParseRequest for NewPost {
    type Input = PostBody;

    fn parse(self, errors: &mut ValidationErrors, _: &ParseContext<'_>) -> Option<PostBody> {
        let title = errors.required("title", self.title, PostTitle::new);
        let content = errors.required("content", self.content, PostContent::new);
        let tags = read_tags(&self.tags.unwrap_or_default(), errors);
        let status = status_of(self.published.unwrap_or_default());
        Some(PostBody { title: title?, content: content?, tags: tags?, status })
    }
}

/// Creates a post of the caller. 201, 400 `VALIDATION_ERROR`, 401 `UNAUTHORIZED`, 409
/// `QUOTA_EXCEEDED` if they have the maximum number of published posts or drafts.
#[utoipa::path(
    post,
    path = "/posts",
    operation_id = "createPost",
    tag = "posts",
    request_body = NewPost,
    responses((status = 201, description = "Made.", body = PostView<'static>)),
    security(("bearer" = ["manage"]), ("cookie" = [])),
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
