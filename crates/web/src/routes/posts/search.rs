//! `GET /posts/search`: searches posts.

use actix_web::web::Data;
use foretell_domain::id::UserId;
use foretell_domain::post::PostStatus;
use foretell_domain::search::SearchQuery;
use foretell_domain::tag::Tag;
use foretell_ports::post::PostFilter;
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::IntoParams;

use super::filter::filter_of;
use crate::WebState;
use crate::dto::parsed::{Parsed, required};
use crate::dto::post::PostView;
use crate::dto::search::{self, LocalQuery, PostHit};
use crate::extract::{List, MaybeSignedIn, Params, RequestContext, RequestDto};
use crate::reply::{self, HandlerResult};

/// Query and filters of a search, `?q=&status=&authorId=&tag=`.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(context(RequestContext))]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(super) struct SearchParams {
    #[garde(required, dive)]
    #[param(required = true, value_type = String, min_length = 1, max_length = 500)]
    q: Option<Parsed<SearchQuery>>,
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    status: Option<Parsed<PostStatus>>,
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    author_id: Option<Parsed<UserId>>,
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    tag: Option<Parsed<Tag>>,
}

impl RequestDto for SearchParams {
    type Input = (SearchQuery, PostFilter);

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> Self::Input {
        let Self { q, status, author_id, tag } = valid.into_inner();
        (required(q), filter_of(status, author_id, tag))
    }
}

/// Searches posts, published ones or the caller's own drafts: words, quoted phrases, `or`, and a
/// minus before excluded terms. The best matches come first, and `meta.method` is the method that
/// found them. Fails with `UNAUTHORIZED` for drafts without authentication.
#[utoipa::path(
    get,
    path = "/posts/search",
    operation_id = "searchPosts",
    tag = "posts",
    params(SearchParams),
    responses((status = 200, description = "Done.", body = Vec<PostHit<'static>>)),
    security((), ("bearer" = ["read"]), ("cookie" = [])),
)]
pub(super) async fn search(
    state: Data<WebState>,
    caller: MaybeSignedIn,
    params: Params<List<SearchParams>>,
) -> HandlerResult {
    let ((query, filter), paging) = state.validate(params)?;
    if filter.status == PostStatus::Draft {
        caller.required()?;
    }
    let page = search::search_page(&paging);
    let permit = state.application.search.admit_search().await?;
    let found = state
        .application
        .search
        .search_posts(&permit, caller.caller(), &query, &filter, page)
        .await?;
    let mut hits: Vec<_> = (page.offset + 1..).zip(found.hits).collect();
    let meta = paging.meta_with_total(&mut hits, |(number, _)| *number, found.total);
    let language = state.application.search.search_language();
    let write = move || {
        let query = LocalQuery { query: &query, language };
        let read = hits.iter().filter_map(|(_, (post, score))| Some((post.as_ref()?, *score)));
        let rows = read.map(|(post, score)| PostHit::new(PostView::new(post), post, score, query));
        reply::hits(rows.collect::<Vec<_>>(), meta, found.step.as_str())
    };
    reply::found(permit, write).await
}
