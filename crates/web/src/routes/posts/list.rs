//! `GET /posts`: lists posts, with filters.

use std::collections::BTreeMap;

use actix_web::web::Data;
use foretell_application::{PostRelation, RelatedToPosts};
use foretell_domain::id::UserId;
use foretell_domain::post::{Post, PostStatus};
use foretell_domain::tag::Tag;
use foretell_ports::post::PostFilter;
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::IntoParams;

use super::filter::filter_of;
use crate::WebState;
use crate::dto::parsed::{Parsed, optional};
use crate::dto::post::PostView;
use crate::dto::selection::Fields;
use crate::extract::{List, MaybeSignedIn, Params, RequestContext, RequestDto};
use crate::reply::{self, HandlerResult};

/// Filters and selection of a list of posts, `?status=&authorId=&tag=&expand=&fields=`.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(context(RequestContext))]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(super) struct PostsParams {
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    status: Option<Parsed<PostStatus>>,
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    author_id: Option<Parsed<UserId>>,
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    tag: Option<Parsed<Tag>>,
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    expand: Option<Parsed<Vec<PostRelation>>>,
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    fields: Option<Parsed<Fields<PostView<'static>>>>,
}

/// Parsed [`PostsParams`].
pub(super) struct PostListQuery {
    filter: PostFilter,
    relations: Vec<PostRelation>,
    fields: Fields<PostView<'static>>,
}

impl RequestDto for PostsParams {
    type Input = PostListQuery;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> PostListQuery {
        let Self { status, author_id, tag, expand, fields } = valid.into_inner();
        PostListQuery {
            filter: filter_of(status, author_id, tag),
            relations: optional(expand).unwrap_or_default(),
            fields: optional(fields).unwrap_or_default(),
        }
    }
}

/// Lists posts, newest first: published ones, or the caller's own drafts. Fails with `UNAUTHORIZED`
/// for drafts without authentication.
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
    params: Params<List<PostsParams>>,
) -> HandlerResult {
    let (PostListQuery { filter, relations, fields }, paging) = state.validate(params)?;
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
