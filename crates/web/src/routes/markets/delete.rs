//! `DELETE /markets/{id}`: deletes a market without bets.

use actix_web::web::Data;
use foretell_domain::id::MarketId;

use crate::WebState;
use crate::error::ErrorCode;
use crate::extract::{NoParams, Params, PathId, SignedIn, Trade};
use crate::reply::{self, HandlerResult};

/// Deletes a market with its comments, and refunds the subsidy to its creator; for its creator,
/// moderators and admins. Fails with `CONFLICT` if it has bets or is decided.
#[utoipa::path(
    delete,
    path = "/markets/{id}",
    operation_id = "deleteMarket",
    tag = "markets",
    responses((status = 204, description = "No content.")),
    security(("bearer" = ["trade"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::Conflict]))),
)]
pub(super) async fn delete(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Trade>,
    id: PathId<MarketId>,
    params: Params<NoParams>,
) -> HandlerResult {
    let (id, ()) = state.validate((id, params))?;
    state.application.markets.delete_market(&caller, id).await?;
    Ok(reply::no_content())
}
