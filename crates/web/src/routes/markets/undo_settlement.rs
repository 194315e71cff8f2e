//! `POST /markets/{id}/reversal`: undoes the settlement of a market.

use actix_web::web::Data;
use foretell_domain::id::MarketId;

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
    // The options of a market never change, so a repetition gets an equal response.
    let market = match &receipt.result {
        Ok(_) => Some(markets.get_market(id).await?),
        Err(_) => None,
    };
    let options = market.iter().flat_map(|details| &details.market.record().options);
    let options: Vec<_> = options.copied().collect();
    let currency = &state.application.settings().currency;
    reply::receipt(receipt, |resolution| {
        reply::accepted(ResolutionView::new(&resolution, &options, currency))
    })
}
