//! `DELETE /markets/{id}/proposal`: withdraws or rejects the proposed resolution of a market.

use actix_web::web::Data;
use foretell_domain::id::MarketId;

use crate::WebState;
use crate::extract::{Manage, NoParams, Params, PathId, SignedIn};
use crate::reply::{self, HandlerResult};

/// Ends the proposed resolution of a market without deciding it: its proposer withdraws it;
/// moderators and admins who are not the market's creator and have not held its shares reject it.
/// The market stays closed. Also fails with `NOT_FOUND` without a proposal.
#[utoipa::path(
    delete,
    path = "/markets/{id}/proposal",
    operation_id = "endProposal",
    tag = "markets",
    responses((status = 204, description = "Done.")),
    security(("bearer" = ["manage"]), ("cookie" = [])),
)]
pub(super) async fn end_proposal(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Manage>,
    id: PathId<MarketId>,
    params: Params<NoParams>,
) -> HandlerResult {
    let (id, ()) = state.validate((id, params))?;
    state.application.markets.end_proposal(&caller, id).await?;
    Ok(reply::no_content())
}
