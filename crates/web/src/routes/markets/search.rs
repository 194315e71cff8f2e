//! `GET /markets/search`: searches markets.

use actix_web::web::Data;
use foretell_domain::id::UserId;
use foretell_domain::market::Phase;
use foretell_domain::search::SearchQuery;
use foretell_domain::text::Category;
use foretell_ports::market::MarketFilter;
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::IntoParams;

use super::filter::filter_of;
use crate::WebState;
use crate::dto::market::MarketView;
use crate::dto::parsed::{Parsed, required};
use crate::dto::search::{self, LocalQuery, MarketHit};
use crate::extract::{List, Params, RequestContext, RequestDto};
use crate::reply::{self, HandlerResult};

/// Query and filters of a search, `?q=&category=&status=&creatorId=`.
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
    category: Option<Parsed<Category>>,
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    status: Option<Parsed<Phase>>,
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    creator_id: Option<Parsed<UserId>>,
}

impl RequestDto for SearchParams {
    type Input = (SearchQuery, MarketFilter);

    fn into_input(valid: Valid<Self>, context: &RequestContext) -> Self::Input {
        let Self { q, category, status, creator_id } = valid.into_inner();
        (required(q), filter_of(category, status, creator_id, context))
    }
}

/// Searches markets: words, quoted phrases, `or`, and a minus before excluded terms. The best
/// matches come first, and `meta.method` is the method that found them.
#[utoipa::path(
    get,
    path = "/markets/search",
    operation_id = "searchMarkets",
    tag = "markets",
    params(SearchParams),
    responses((status = 200, description = "Done.", body = Vec<MarketHit<'static>>)),
)]
pub(super) async fn search(
    state: Data<WebState>,
    params: Params<List<SearchParams>>,
) -> HandlerResult {
    let ((query, filter), paging) = state.validate(params)?;
    let application = &state.application;
    let page = search::search_page(&paging);
    let permit = application.search.admit_search().await?;
    let found = application.search.search_markets(&permit, &query, &filter, page).await?;
    let mut hits: Vec<_> = (page.offset + 1..).zip(found.hits).collect();
    let meta = paging.meta_with_total(&mut hits, |(number, _)| *number, found.total);
    let now = application.now();
    let currency = application.settings().currency.clone();
    let language = application.search.search_language();
    let write = move || {
        let query = LocalQuery { query: &query, language };
        let read = hits.iter().filter_map(|(_, (market, score))| Some((market.as_ref()?, *score)));
        let rows = read.map(|(market, score)| {
            MarketHit::new(MarketView::at(now, market, &currency), market, score, query)
        });
        reply::hits(rows.collect::<Vec<_>>(), meta, found.step.as_str())
    };
    reply::found(permit, write).await
}
