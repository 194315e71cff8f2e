//! `GET /markets/{id}/resolutions`: lists the resolutions of a market.

use actix_web::web::Data;
use foretell_domain::id::MarketId;

use crate::WebState;
use crate::dto::market::resolution::ResolutionView;
use crate::extract::{Pagination, Params, PathId};
use crate::reply::{self, HandlerResult};

/// Lists how a market was decided or is proposed to be, newest first, with the disputes of each and
/// the undoing of its settlement.
#[utoipa::path(
    get,
    path = "/markets/{id}/resolutions",
    operation_id = "listMarketResolutions",
    tag = "markets",
    responses((status = 200, description = "Done.", body = Vec<ResolutionView<'static>>)),
)]
pub(super) async fn list_resolutions(
    state: Data<WebState>,
    id: PathId<MarketId>,
    params: Params<Pagination>,
) -> HandlerResult {
    let (id, paging) = state.validate((id, params))?;
    let markets = &state.application.markets;
    let (market, mut rows, disputes) = markets.list_resolutions(id, paging.request()).await?;
    let total = markets.count_resolutions(id);
    let meta = paging.meta(&mut rows, |resolution| resolution.number, total).await?;
    let options = &market.market.record().options;
    let currency = &state.application.settings().currency;
    let view = |row| ResolutionView::new(row, options, currency).with_disputes(&disputes);
    reply::list(rows.iter().map(view).collect::<Vec<_>>(), meta)
}
