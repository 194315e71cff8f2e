//! `GET /markets/{id}/resolution`: returns the resolution of a market, and the progress of its
//! settlement.

use actix_web::web::Data;
use foretell_domain::id::MarketId;

use crate::WebState;
use crate::dto::market::decided::SettlementView;
use crate::error::{ApiError, ErrorCode};
use crate::extract::{NoParams, Params, PathId};
use crate::reply::{self, HandlerResult};

/// Returns the settlement of a market. Also fails with `NOT_FOUND` before the market is resolved or
/// cancelled.
#[utoipa::path(
    get,
    path = "/markets/{id}/resolution",
    operation_id = "getResolution",
    tag = "markets",
    responses((status = 200, description = "Done.", body = SettlementView)),
)]
pub(super) async fn get_resolution(
    state: Data<WebState>,
    id: PathId<MarketId>,
    params: Params<NoParams>,
) -> HandlerResult {
    let (id, ()) = state.validate((id, params))?;
    let (details, found) = state.application.markets.find_settlement(id).await?;
    let not_found = || ApiError::new(ErrorCode::NotFound, format!("Resolution not found: {id}"));
    let settlement = found.ok_or_else(not_found)?;
    let options = &details.market.record().options;
    reply::ok(SettlementView::new(&settlement, options, &state.application.settings().currency))
}
