//! `GET /bets/{id}`: returns a bet or sale.

use actix_web::web::Data;
use foretell_domain::id::BetId;

use crate::WebState;
use crate::dto::market::bet::BetView;
use crate::error::{ApiError, ErrorCode};
use crate::extract::{MaybeSignedIn, NoParams, Params, PathId};
use crate::reply::{self, HandlerResult};

/// Returns the bet or sale that the caller made under this client id, or else the one with this id;
/// private fields are returned to its trader only.
#[utoipa::path(
    get,
    path = "/bets/{id}",
    operation_id = "getBet",
    tag = "bets",
    responses((status = 200, description = "Done.", body = BetView<'static>)),
    security((), ("bearer" = ["read"]), ("cookie" = [])),
)]
pub(super) async fn get(
    state: Data<WebState>,
    caller: MaybeSignedIn,
    id: PathId<BetId>,
    params: Params<NoParams>,
) -> HandlerResult {
    let (id, ()) = state.validate((id, params))?;
    let found = state.application.markets.find_bet(caller.caller(), id).await?;
    let bet =
        found.ok_or_else(|| ApiError::new(ErrorCode::NotFound, format!("Bet not found: {id}")))?;
    let currency = &state.application.settings().currency;
    let is_own = caller.caller().is_some_and(|caller| caller.account_id == bet.account_id);
    reply::ok(if is_own {
        BetView::of_trader(&bet, currency)
    } else {
        BetView::public(&bet, currency)
    })
}
