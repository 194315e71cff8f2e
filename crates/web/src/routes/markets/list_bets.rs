//! `GET /markets/{id}/bets`: the bets and sales of a market.

use actix_web::web::Data;
use foretell_domain::id::MarketId;

use crate::WebState;
use crate::dto::market::bet::BetView;
use crate::dto::page::PageParams;
use crate::extract::{Params, PathId};
use crate::reply::{self, Answer};

/// Lists bets and sales, newest first, as anyone may see them. 200, 400 `VALIDATION_ERROR`,
/// 404 `NOT_FOUND`.
pub(super) async fn list_bets(
    state: Data<WebState>,
    id: PathId<MarketId>,
    params: Params<PageParams>,
) -> Answer {
    let (id, page) = state.accept((id, params))?;
    let (_, found) = state.application.list_bets(id, page).await?;
    let currency = &state.application.settings().currency;
    let rows: Vec<_> = found.rows.iter().map(|bet| BetView::public(bet, currency)).collect();
    reply::page(rows, page, found.total)
}
