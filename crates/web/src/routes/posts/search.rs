//! `GET /posts/search`: searches posts.

use actix_web::web::Data;
use foretell_domain::id::UserId;
use foretell_domain::post::PostStatus;
use foretell_domain::search::SearchQuery;
use foretell_domain::tag::Tag;
use foretell_ports::post::PostFilter;
use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;

use super::list::status_named;
use crate::WebState;
use crate::dto::page::{PageParams, Paging};
use crate::dto::post::PostView;
use crate::dto::search::{self, LocalQuery, PostHit};
use crate::dto::text::parsed;
use crate::extract::{MaybeSignedIn, Params, ParseContext, ParseRequest};
use crate::reply::{self, HandlerResult};
use crate::validation::ValidationErrors;

/// Query and filters of a search, `?q=&status=&authorId=&tag=`, and pagination.
#[derive(Debug, Default, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SearchParams {
    #[garde(required)]
    #[param(required = true, value_type = String, min_length = 1, max_length = 500)]
    q: Option<String>,
    #[garde(skip)]
    status: Option<String>,
    #[garde(skip)]
    author_id: Option<String>,
    #[garde(skip)]
    tag: Option<String>,
    #[serde(deserialize_with = "parsed")]
    #[garde(skip)]
    page: Option<u32>,
    #[serde(deserialize_with = "parsed")]
    #[garde(skip)]
    limit: Option<u32>,
    #[garde(skip)]
    cursor: Option<String>,
}

impl ParseRequest for SearchParams {
    type Input = (SearchQuery, PostFilter, Paging);

    fn parse(self, errors: &mut ValidationErrors, context: &ParseContext<'_>) -> Option<Self::Input> {
        let query = search::query(self.q, errors);
        let status = self.status.map_or(Some(PostStatus::Published), |name| status_named(&name, errors));
        let author_id = errors.optional("authorId", self.author_id, |id| id.parse::<UserId>());
        let tag = errors.optional("tag", self.tag, |text| Tag::new(&text));
        let (page, limit, cursor) = (self.page, self.limit, self.cursor);
        let paging = PageParams { page, limit, cursor }.parse(errors, context);
        let filter = PostFilter { status: status?, author_id: author_id?, tag: tag? };
        Some((query?, filter, paging?))
    }
}

/// Searches posts, published ones or the caller's own drafts: words, quoted phrases, `or`, and a
/// minus before excluded terms. The best matches come first, and `meta.method` is the method that
/// found them. 200, 400 `VALIDATION_ERROR`, 401 `UNAUTHORIZED` for drafts without authentication.
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
    params: Params<SearchParams>,
) -> HandlerResult {
    let (query, filter, paging) = state.validate(params)?;
    if filter.status == PostStatus::Draft {
        caller.required()?;
    }
    let page = search::search_page(&paging);
    let permit = state.application.search.admit_search().await?;
    let found =
        state.application.search.search_posts(&permit, caller.caller(), &query, &filter, page).await?;
    let mut hits: Vec<_> = (page.offset + 1..).zip(found.hits).collect();
    let total = std::future::ready(Ok(found.total));
    let meta = paging.meta(&mut hits, |(number, _)| *number, total).await?;
    let language = state.application.search.search_language();
    let write = move || {
        let query = LocalQuery { query: &query, language };
        let read = hits.iter().filter_map(|(_, (post, score))| Some((post.as_ref()?, *score)));
        let rows = read.map(|(post, score)| PostHit::new(PostView::new(post), post, score, query));
        reply::hits(rows.collect::<Vec<_>>(), meta, found.step.as_str())
    };
    reply::found(permit, write).await
}
