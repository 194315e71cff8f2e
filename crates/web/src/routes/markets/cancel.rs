//! `POST /markets/{id}/cancellation`: cancels a market.

use actix_web::web::Data;
use foretell_application::writer::Decision;
use foretell_domain::id::MarketId;

use super::resolve::decided;
use crate::WebState;
use crate::dto::market::decided::{CancellationBody, MarketStateView};
use crate::dto::market::resolution::ResolutionView;
use crate::error::ErrorCode;
use crate::extract::{Decide, IdempotencyKey, OptionalBody, PathId, SignedIn};
use crate::reply::HandlerResult;

/// Cancels a market and refunds the stakes, once per idempotency key. It may become a proposal, as a
/// resolution may. Fails with `CONFLICT` if already decided.
#[utoipa::path(
    post,
    path = "/markets/{id}/cancellation",
    operation_id = "cancelMarket",
    tag = "markets",
    request_body = Option<CancellationBody>,
    params(("Idempotency-Key" = String, Header)),
    responses(
        (status = 200, description = "Done.", body = MarketStateView),
        (status = 202, description = "Proposed.", body = ResolutionView<'static>),
    ),
    security(("bearer" = ["resolve"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::Conflict, ErrorCode::ProposalPending]))),
)]
pub(super) async fn cancel(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Decide>,
    market_id: PathId<MarketId>,
    key: IdempotencyKey,
    body: OptionalBody<CancellationBody>,
) -> HandlerResult {
    let (market_id, key, evidence) = state.validate((market_id, key, body))?;
    let markets = &state.application.markets;
    let decision = Decision::Cancel;
    let receipt = markets.decide_market(&caller, key, market_id, decision, evidence).await?;
    decided(&state, market_id, receipt).await
}
