//! `POST /markets/{id}/cancellation`: cancels a market.

use actix_web::web::Data;
use foretell_application::writer::Decision;
use foretell_domain::id::MarketId;

use crate::WebState;
use crate::dto::market::decided::{MarketStateView, NoFields};
use crate::error::ErrorCode;
use crate::extract::{IdempotencyKey, OptionalBody, PathId, SignedIn, Trade};
use crate::reply::{self, HandlerResult};

/// Cancels a market and refunds the stakes, once per idempotency key. Fails with `CONFLICT` if
/// already decided.
#[utoipa::path(
    post,
    path = "/markets/{id}/cancellation",
    operation_id = "cancelMarket",
    tag = "markets",
    request_body = Option<NoFields>,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 200, description = "Done.", body = MarketStateView)),
    security(("bearer" = ["trade"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::Conflict]))),
)]
pub(super) async fn cancel(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Trade>,
    market_id: PathId<MarketId>,
    key: IdempotencyKey,
    body: OptionalBody<NoFields>,
) -> HandlerResult {
    let (market_id, key, ()) = state.validate((market_id, key, body))?;
    let receipt =
        state.application.markets.decide_market(&caller, key, market_id, Decision::Cancel).await?;
    let currency = &state.application.settings().currency;
    reply::receipt(receipt, |market| reply::ok(MarketStateView::new(market, currency)?))
}
