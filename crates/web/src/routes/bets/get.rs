//! `GET /bets/{id}`: whether a bet or sale happened.

use actix_web::web::Data;
use foretell_domain::id::BetId;

use crate::WebState;
use crate::dto::market::bet::BetView;
use crate::error::{ApiError, ErrorCode};
use crate::extract::{NoParams, Params, PathId};
use crate::reply::{self, Answer};

/// Shows a bet or sale, as anyone may see it. 200, 400 `VALIDATION_ERROR`, 404 `NOT_FOUND`.
#[utoipa::path(
    get,
    path = "/bets/{id}",
    operation_id = "getBet",
    tag = "bets",
    responses((status = 200, description = "Done.", body = BetView<'static>)),
)]
pub(super) async fn get(state: Data<WebState>, id: PathId<BetId>, params: Params<NoParams>) -> Answer {
    let (id, ()) = state.accept((id, params))?;
    let found = state.application.find_bet(id).await?;
    let bet = found.ok_or_else(|| ApiError::new(ErrorCode::NotFound, format!("Bet not found: {id}")))?;
    reply::ok(BetView::public(&bet, &state.application.settings().currency))
}
