//! `GET /markets/search`: searches markets.

use actix_web::web::Data;
use foretell_domain::id::UserId;
use foretell_domain::search::SearchQuery;
use foretell_domain::text::Category;
use foretell_ports::market::MarketFilter;
use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;

use super::list::phase_named;
use crate::WebState;
use crate::dto::market::MarketView;
use crate::dto::page::{PageParams, Paging};
use crate::dto::search::{self, LocalQuery, MarketHit};
use crate::dto::text::parsed;
use crate::extract::{Params, ParseContext, ParseRequest};
use crate::reply::{self, HandlerResult};
use crate::validation::ValidationErrors;

/// Query and filters of a search, `?q=&category=&status=&creatorId=`, and pagination.
#[derive(Debug, Default, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SearchParams {
    #[garde(required)]
    #[param(required = true, value_type = String, min_length = 1, max_length = 500)]
    q: Option<String>,
    #[garde(skip)]
    category: Option<String>,
    #[garde(skip)]
    status: Option<String>,
    #[garde(skip)]
    creator_id: Option<String>,
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
    type Input = (SearchQuery, MarketFilter, Paging);

    fn parse(self, errors: &mut ValidationErrors, context: &ParseContext<'_>) -> Option<Self::Input> {
        let query = search::query(self.q, errors);
        let category = errors.optional("category", self.category, Category::new);
        let phase = self.status.map_or(Some(None), |name| phase_named(&name, errors).map(Some));
        let creator_id = errors.optional("creatorId", self.creator_id, |id| id.parse::<UserId>());
        let (page, limit, cursor) = (self.page, self.limit, self.cursor);
        let paging = PageParams { page, limit, cursor }.parse(errors, context);
        let filter = MarketFilter {
            category: category?.map(String::from),
            phase: phase?.map(|phase| (phase, context.now)),
            creator_id: creator_id?,
        };
        Some((query?, filter, paging?))
    }
}

/// Searches markets: words, quoted phrases, `or`, and a minus before excluded terms. The best
/// matches come first, and `meta.method` is the method that found them. 200, 400
/// `VALIDATION_ERROR`.
#[utoipa::path(
    get,
    path = "/markets/search",
    operation_id = "searchMarkets",
    tag = "markets",
    params(SearchParams),
    responses((status = 200, description = "Done.", body = Vec<MarketHit<'static>>)),
)]
pub(super) async fn search(state: Data<WebState>, params: Params<SearchParams>) -> HandlerResult {
    let (query, filter, paging) = state.validate(params)?;
    let application = &state.application;
    let page = search::search_page(&paging);
    let permit = application.search.admit_search().await?;
    let found = application.search.search_markets(&permit, &query, &filter, page).await?;
    let mut hits: Vec<_> = (page.offset + 1..).zip(found.hits).collect();
    let total = std::future::ready(Ok(found.total));
    let meta = paging.meta(&mut hits, |(number, _)| *number, total).await?;
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
