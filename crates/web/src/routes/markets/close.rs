//! `POST /markets/{id}/close`: closes a market.

use actix_web::web::Data;
use foretell_domain::id::MarketId;

use crate::WebState;
use crate::dto::market::decided::{MarketStateView, NoFields};
use crate::error::ErrorCode;
use crate::extract::{IdempotencyKey, Manage, OptionalBody, PathId, SignedIn};
use crate::reply::{self, HandlerResult};

/// Closes a market before its end date, once per idempotency key. Fails with `MARKET_CLOSED` if it
/// is not open.
#[utoipa::path(
    post,
    path = "/markets/{id}/close",
    operation_id = "closeMarket",
    tag = "markets",
    request_body = Option<NoFields>,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 200, description = "Done.", body = MarketStateView)),
    security(("bearer" = ["manage"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::MarketClosed]))),
)]
pub(super) async fn close(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Manage>,
    market_id: PathId<MarketId>,
    key: IdempotencyKey,
    body: OptionalBody<NoFields>,
) -> HandlerResult {
    let (market_id, key, ()) = state.validate((market_id, key, body))?;
    let receipt = state.application.markets.close_market(&caller, key, market_id).await?;
    let currency = &state.application.settings().currency;
    reply::receipt(receipt, |market| reply::ok(MarketStateView::new(market, currency)?))
}
