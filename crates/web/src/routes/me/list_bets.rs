//! `GET /me/bets`: lists the caller's bets and sales in all markets.

use actix_web::web::Data;
use foretell_ports::portfolio::BetKey;

use crate::WebState;
use crate::dto::market::bet::BetView;
use crate::extract::{Pagination, Params, Read, SignedIn};
use crate::reply::{self, HandlerResult};

/// Lists the caller's bets and sales, newest first.
#[utoipa::path(
    get,
    path = "/me/bets",
    operation_id = "listCurrentUserBets",
    tag = "me",
    responses((status = 200, description = "Done.", body = Vec<BetView<'static>>)),
    security(("bearer" = ["read"]), ("cookie" = [])),
)]
pub(super) async fn list_bets(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Read>,
    params: Params<Pagination>,
) -> HandlerResult {
    let (paging, application) = (state.validate(params)?, &state.application);
    let mut bets = application.trading.list_own_bets(&caller, paging.request()).await?;
    let total = application.trading.count_own_bets(&caller);
    let meta = paging.meta(&mut bets, |bet| BetKey::from(bet), total).await?;
    let currency = &application.settings().currency;
    let rows: Vec<_> = bets.iter().map(|bet| BetView::of_trader(bet, currency)).collect();
    reply::list(rows, meta)
}
