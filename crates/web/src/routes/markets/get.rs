//! `GET /markets/{id}`: returns a market.

use std::slice::from_ref;

use actix_web::web::Data;
use foretell_application::MarketRelation;
use foretell_domain::id::MarketId;
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::WebState;
use crate::dto::market::page::{self, MarketPage};
use crate::dto::market::{MarketView, entity_tag};
use crate::dto::parsed::{Parsed, optional};
use crate::dto::selection::Fields;
use crate::error::ApiError;
use crate::extract::{KnownTags, Params, PathId, RequestContext, RequestDto};
use crate::reply::{self, HandlerResult};

/// Selection of a market's fields and embedded resources: `?expand=&fields=`.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(context(RequestContext))]
#[into_params(parameter_in = Query)]
pub(super) struct MarketParams {
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    expand: Option<Parsed<Vec<MarketRelation>>>,
    #[garde(dive)]
    #[param(value_type = Option<String>)]
    fields: Option<Parsed<Fields<MarketView<'static>>>>,
}

impl RequestDto for MarketParams {
    type Input = (Vec<MarketRelation>, Fields<MarketView<'static>>);

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> Self::Input {
        let Self { expand, fields } = valid.into_inner();
        (optional(expand).unwrap_or_default(), optional(fields).unwrap_or_default())
    }
}

/// Returns a market, with its version as entity tag. Embedded resources change without a new
/// version of the market, so a response with them has no tag.
#[utoipa::path(
    get,
    path = "/markets/{id}",
    operation_id = "getMarket",
    tag = "markets",
    params(MarketParams, ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, description = "Done.", body = MarketView<'static>)),
)]
pub(super) async fn get(
    state: Data<WebState>,
    id: PathId<MarketId>,
    params: Params<MarketParams>,
    known: KnownTags,
) -> HandlerResult {
    let (id, (relations, fields)) = state.validate((id, params))?;
    let application = &state.application;
    if relations.is_empty() && fields.are_all() {
        let page = MarketPage::read(application.markets.show_market(id, page::render).await?);
        let page = page.ok_or_else(|| ApiError::internal("what is kept of a market is no page"))?;
        return Ok(reply::finished_unless_known(&known, page.tag, page.body));
    }
    let market = application.markets.get_market(id).await?;
    let (now, currency) = (application.now(), &application.settings().currency);
    let view = || MarketView::at(now, &market, currency);
    if relations.is_empty() {
        let tag = reply::version_tag(entity_tag(&market, now));
        return reply::unless_known(&known, tag, || fields.of(view()));
    }
    let related = application.markets.relate_to_markets(from_ref(&market), &relations).await?;
    reply::ok(fields.of(view().with(&related, currency)))
}
