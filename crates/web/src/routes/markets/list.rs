//! `GET /markets`: lists markets, with filters and sorting.

use actix_web::web::Data;
use foretell_application::MarketRelation;
use foretell_domain::id::UserId;
use foretell_domain::market::Phase;
use foretell_domain::text::Category;
use foretell_ports::market::{MarketFilter, MarketSort};
use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::WebState;
use crate::dto::market::{MARKET_RELATIONS, MarketView};
use crate::dto::page::{PageParams, Paging};
use crate::dto::selection::{Fields, expanded};
use crate::dto::text::parsed;
use crate::extract::{Params, ParseContext, ParseRequest};
use crate::reply::{self, HandlerResult};
use crate::validation::{FieldErrorCode, ValidationErrors};

/// Filters, order and selection of a list of markets,
/// `?category=&status=&creatorId=&sort=&expand=&fields=`, and pagination.
#[derive(Debug, Default, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct MarketParams {
    #[garde(skip)]
    category: Option<String>,
    #[garde(skip)]
    status: Option<String>,
    #[garde(skip)]
    creator_id: Option<String>,
    #[garde(skip)]
    sort: Option<String>,
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

/// Parsed [`MarketParams`].
pub(super) struct MarketListQuery {
    filter: MarketFilter,
    sort: MarketSort,
    relations: Vec<MarketRelation>,
    fields: Fields,
    paging: Paging,
}

impl ParseRequest for MarketParams {
    type Input = MarketListQuery;

    fn parse(self, errors: &mut ValidationErrors, context: &ParseContext<'_>) -> Option<Self::Input> {
        // A category that was removed from the configuration may still have markets.
        let category = errors.optional("category", self.category, Category::new);
        let phase = self.status.map_or(Some(None), |name| phase_named(&name, errors).map(Some));
        let creator_id = errors.optional("creatorId", self.creator_id, |id| id.parse::<UserId>());
        let sort = self.sort.map_or(Some(MarketSort::Newest), |name| sort_named(&name, errors));
        let (page, limit, cursor) = (self.page, self.limit, self.cursor);
        let paging = PageParams { page, limit, cursor }.parse(errors, context);
        let relations = expanded(self.expand.as_deref(), &MARKET_RELATIONS, errors);
        let fields = Fields::read::<MarketView<'_>>(self.fields.as_deref(), errors);
        let filter = MarketFilter {
            category: category?.map(String::from),
            phase: phase?.map(|phase| (phase, context.now)),
            creator_id: creator_id?,
        };
        Some(MarketListQuery { filter, sort: sort?, relations: relations?, fields: fields?, paging: paging? })
    }
}

pub(super) fn phase_named(name: &str, errors: &mut ValidationErrors) -> Option<Phase> {
    let phase = Phase::from_name(name);
    if phase.is_none() {
        errors.add("status", FieldErrorCode::Invalid, "must be open, closed, resolved or cancelled");
    }
    phase
}

fn sort_named(name: &str, errors: &mut ValidationErrors) -> Option<MarketSort> {
    match name {
        "newest" => Some(MarketSort::Newest),
        "closing" => Some(MarketSort::Closing),
        "volume" => Some(MarketSort::Volume),
        _ => {
            errors.add("sort", FieldErrorCode::Invalid, "must be newest, closing or volume");
            None
        }
    }
}

/// Lists markets. 200, 400 `VALIDATION_ERROR`.
#[utoipa::path(
    get,
    path = "/markets",
    operation_id = "listMarkets",
    tag = "markets",
    params(MarketParams),
    responses((status = 200, description = "Done.", body = Vec<MarketView<'static>>)),
)]
pub(super) async fn list(state: Data<WebState>, params: Params<MarketParams>) -> HandlerResult {
    let MarketListQuery { filter, sort, relations, fields, paging } = state.validate(params)?;
    let application = &state.application;
    let mut found = application.markets.list_markets(&filter, sort, paging.request()).await?;
    let total = application.markets.count_markets(&filter);
    let meta = paging.meta(&mut found, |market| sort.key_of(market), total).await?;
    let related = application.markets.relate_to_markets(&found, &relations).await?;
    let (now, currency) = (application.now(), &application.settings().currency);
    let view = |market| fields.of(MarketView::at(now, market, currency).with(&related, currency));
    let rows: Vec<_> = found.iter().map(view).collect();
    reply::list(rows, meta)
}
