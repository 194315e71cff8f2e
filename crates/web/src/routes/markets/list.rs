//! `GET /markets`: lists markets, with filters and sorting.

use actix_web::web::Data;
use foretell_application::MarketRelation;
use foretell_domain::id::UserId;
use foretell_domain::market::Phase;
use foretell_domain::text::Category;
use foretell_ports::market::{MarketFilter, MarketSort};
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::IntoParams;

use super::filter::filter_of;
use crate::WebState;
use crate::dto::market::MarketView;
use crate::dto::parsed::{Parsed, optional};
use crate::dto::selection::Fields;
use crate::extract::{List, Params, RequestContext, RequestDto};
use crate::reply::{self, HandlerResult};

/// Filters, order and selection of a list of markets,
/// `?category=&status=&creatorId=&sort=&expand=&fields=`.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(context(RequestContext))]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(super) struct MarketParams {
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    category: Option<Parsed<Category>>,
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    status: Option<Parsed<Phase>>,
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    creator_id: Option<Parsed<UserId>>,
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    sort: Option<Parsed<MarketSort>>,
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    expand: Option<Parsed<Vec<MarketRelation>>>,
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    fields: Option<Parsed<Fields<MarketView<'static>>>>,
}

/// Parsed [`MarketParams`].
pub(super) struct MarketListQuery {
    filter: MarketFilter,
    sort: MarketSort,
    relations: Vec<MarketRelation>,
    fields: Fields<MarketView<'static>>,
}

impl RequestDto for MarketParams {
    type Input = MarketListQuery;

    fn into_input(valid: Valid<Self>, context: &RequestContext) -> MarketListQuery {
        let Self { category, status, creator_id, sort, expand, fields } = valid.into_inner();
        MarketListQuery {
            filter: filter_of(category, status, creator_id, context),
            sort: optional(sort).unwrap_or_default(),
            relations: optional(expand).unwrap_or_default(),
            fields: optional(fields).unwrap_or_default(),
        }
    }
}

/// Lists markets.
#[utoipa::path(
    get,
    path = "/markets",
    operation_id = "listMarkets",
    tag = "markets",
    params(MarketParams),
    responses((status = 200, description = "Done.", body = Vec<MarketView<'static>>)),
)]
pub(super) async fn list(
    state: Data<WebState>,
    params: Params<List<MarketParams>>,
) -> HandlerResult {
    let (MarketListQuery { filter, sort, relations, fields }, paging) = state.validate(params)?;
    let application = &state.application;
    let mut found =
        application.queries.markets.list_markets(&filter, sort, paging.request()).await?;
    let total = application.markets.count_markets(&filter);
    let meta = paging.meta(&mut found, |market| sort.key_of(market), total).await?;
    let related = application.markets.relate_to_markets(&found, &relations).await?;
    let (now, currency) = (application.now(), &application.settings().currency);
    let view = |market| fields.of(MarketView::at(now, market, currency).with(&related, currency));
    let rows: Vec<_> = found.iter().map(view).collect();
    reply::list(rows, meta)
}
