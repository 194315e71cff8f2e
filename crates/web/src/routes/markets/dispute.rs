//! `POST /markets/{id}/disputes`: disputes the proposed resolution of a market.

use actix_web::web::Data;
use foretell_domain::id::MarketId;

use crate::WebState;
use crate::dto::market::resolution::{DisputeView, ReasonBody};
use crate::error::ErrorCode;
use crate::extract::{Body, Manage, PathId, SignedIn};
use crate::reply::{self, HandlerResult};

/// Disputes the proposed resolution of a market; for users who hold or have held shares of it. The
/// proposal then takes effect only if a moderator or admin without a part in the market confirms
/// it. Also fails with `NOT_FOUND` without a proposal, and with `DUPLICATE` for a second dispute.
#[utoipa::path(
    post,
    path = "/markets/{id}/disputes",
    operation_id = "disputeResolution",
    tag = "markets",
    request_body = ReasonBody,
    responses((status = 201, description = "Made.", body = DisputeView<'static>)),
    security(("bearer" = ["manage"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::Duplicate]))),
)]
pub(super) async fn dispute(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Manage>,
    id: PathId<MarketId>,
    body: Body<ReasonBody>,
) -> HandlerResult {
    let (id, reason) = state.validate((id, body))?;
    let dispute = state.application.markets.dispute_resolution(&caller, id, reason).await?;
    reply::created(format_args!("/markets/{id}/resolutions"), DisputeView::from(&dispute))
}
