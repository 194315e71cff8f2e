//! `GET /posts`: lists posts, with filters.

use std::collections::BTreeMap;

use actix_web::web::Data;
use foretell_application::{PostRelation, RelatedToPosts};
use foretell_domain::id::UserId;
use foretell_domain::post::{Post, PostStatus};
use foretell_domain::tag::Tag;
use foretell_ports::post::PostFilter;
use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::WebState;
use crate::dto::page::{PageParams, Paging};
use crate::dto::post::{POST_RELATIONS, PostView};
use crate::dto::selection::{Fields, expanded};
use crate::dto::text::parsed;
use crate::extract::{MaybeSignedIn, Params, ParseContext, ParseRequest};
use crate::reply::{self, HandlerResult};
use crate::validation::{FieldErrorCode, ValidationErrors};

/// Filters and selection of a list of posts, `?status=&authorId=&tag=&expand=&fields=`, and
/// pagination.
#[derive(Debug, Default, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PostsParams {
    #[garde(skip)]
    status: Option<String>,
    #[garde(skip)]
    author_id: Option<String>,
    #[garde(skip)]
    tag: Option<String>,
    #[garde(skip)]
    expand: Option<String>,
    #[garde(skip)]
    fields: Option<String>,
    #[serde(deserialize_with = "parsed")]
    #[garde(skip)]
    page: Option<u32>,
    #[serde(deserialize_with = "parsed")]
    #[garde(skip)]
    limit: Option<u32>,
    #[garde(skip)]
    cursor: Option<String>,
}

/// Parsed [`PostsParams`].
pub(super) struct PostListQuery {
    filter: PostFilter,
    relations: Vec<PostRelation>,
    fields: Fields,
    paging: Paging,
}

impl ParseRequest for PostsParams {
    type Input = PostListQuery;

    fn parse(self, errors: &mut ValidationErrors, context: &ParseContext<'_>) -> Option<PostListQuery> {
        let status = self.status.map_or(Some(PostStatus::Published), |name| status_named(&name, errors));
        let author_id = errors.optional("authorId", self.author_id, |id| id.parse::<UserId>());
        let tag = errors.optional("tag", self.tag, |text| Tag::new(&text));
        let relations = expanded(self.expand.as_deref(), &POST_RELATIONS, errors);
        let fields = Fields::read::<PostView<'_>>(self.fields.as_deref(), errors);
        let (page, limit, cursor) = (self.page, self.limit, self.cursor);
        let paging = PageParams { page, limit, cursor }.parse(errors, context);
        let filter = PostFilter { status: status?, author_id: author_id?, tag: tag? };
        Some(PostListQuery { filter, relations: relations?, fields: fields?, paging: paging? })
    }
}

pub(super) fn status_named(name: &str, errors: &mut ValidationErrors) -> Option<PostStatus> {
    let status = PostStatus::from_name(name);
    if status.is_none() {
        errors.add("status", FieldErrorCode::Invalid, "must be draft or published");
    }
    status
}

/// Lists posts, newest first: published ones, or the caller's own drafts. 200, 400
/// `VALIDATION_ERROR`, 401 `UNAUTHORIZED` for drafts without authentication.
#[utoipa::path(
    get,
    path = "/posts",
    operation_id = "listPosts",
    tag = "posts",
    params(PostsParams),
    responses((status = 200, description = "Done.", body = Vec<PostView<'static>>)),
    security((), ("bearer" = ["read"]), ("cookie" = [])),
)]
pub(super) async fn list(
    state: Data<WebState>,
    caller: MaybeSignedIn,
    params: Params<PostsParams>,
) -> HandlerResult {
    let PostListQuery { filter, relations, fields, paging } = state.validate(params)?;
    if filter.status == PostStatus::Draft {
        caller.required()?;
    }
    let (application, caller) = (&state.application, caller.caller());
    let mut found = application.content.list_posts(caller, &filter, paging.request()).await?;
    let total = application.content.count_posts(caller, &filter);
    let meta = paging.meta(&mut found, |post| post.id, total).await?;
    let related = application.content.relate_to_posts(&found, &relations).await?;
    let text_bytes = text_bytes(&found, &related);
    let write = move || {
        let rows = found.iter().map(|post| fields.of(PostView::with(post, &related)));
        reply::list_body(rows.collect::<Vec<_>>(), meta)
    };
    reply::with_texts(text_bytes, write).await
}

/// Returns the size of the texts of these posts and of their comments.
fn text_bytes(posts: &[Post], related: &RelatedToPosts) -> usize {
    let comments = related.comments.iter().flat_map(BTreeMap::values).flatten();
    let comment_bytes: usize = comments.map(|comment| comment.content.as_str().len()).sum();
    posts.iter().map(|post| post.body.content.as_str().len()).sum::<usize>() + comment_bytes
}
