//! `POST /markets/{id}/reversal`: undoes the settlement of a market.

use actix_web::web::Data;
use foretell_domain::id::MarketId;

use super::resolve::options_of;
use crate::WebState;
use crate::dto::market::resolution::{ReasonBody, ResolutionView};
use crate::error::ErrorCode;
use crate::extract::{AdminOnly, Body, IdempotencyKey, PathId, Trade};
use crate::reply::{self, HandlerResult};

/// Undoes the settlement of a market, once per idempotency key: every payment goes back into its
/// pot by a transfer with `reversalOf`; what recipients no longer have is paid by the treasury and
/// recorded as their debt. Large markets are undone in the background. Then the market is closed,
/// and can be resolved again. Fails with `CONFLICT` if it is not decided or already being undone.
#[utoipa::path(
    post,
    path = "/markets/{id}/reversal",
    operation_id = "undoSettlement",
    tag = "markets",
    request_body = ReasonBody,
    params(("Idempotency-Key" = String, Header)),
    responses((status = 202, description = "Ordered.", body = ResolutionView<'static>)),
    security(("bearer" = ["admin_trade"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::Conflict]))),
)]
pub(super) async fn undo_settlement(
    state: Data<WebState>,
    AdminOnly(caller, ..): AdminOnly<Trade>,
    id: PathId<MarketId>,
    key: IdempotencyKey,
    body: Body<ReasonBody>,
) -> HandlerResult {
    let (id, key, reason) = state.validate((id, key, body))?;
    let markets = &state.application.markets;
    let receipt = markets.undo_settlement(&caller, key, id, reason).await?;
    let options = if receipt.result.is_ok() { options_of(&state, id).await? } else { Vec::new() };
    let currency = &state.application.settings().currency;
    reply::receipt(receipt, |resolution| {
        reply::accepted(ResolutionView::new(&resolution, &options, currency))
    })
}
