//! `GET /markets/{id}/bets`: lists the bets and sales of a market.

use actix_web::web::Data;
use foretell_domain::id::MarketId;
use foretell_ports::page::Page;

use crate::WebState;
use crate::dto::market::bet::BetView;
use crate::extract::{Pagination, Params, PathId};
use crate::reply::{self, HandlerResult};

/// Lists bets and sales, newest first, with public fields only.
#[utoipa::path(
    get,
    path = "/markets/{id}/bets",
    operation_id = "listBets",
    tag = "markets",
    responses((status = 200, description = "Done.", body = Vec<BetView<'static>>)),
)]
pub(super) async fn list_bets(
    state: Data<WebState>,
    id: PathId<MarketId>,
    params: Params<Pagination>,
) -> HandlerResult {
    let (id, paging) = state.validate((id, params))?;
    let (_, Page { mut rows, total }) =
        state.application.markets.list_bets(id, paging.request()).await?;
    let meta = paging.meta_with_total(&mut rows, |bet| bet.fill.sequence, total);
    let currency = &state.application.settings().currency;
    let rows: Vec<_> = rows.iter().map(|bet| BetView::public(bet, currency)).collect();
    reply::list(rows, meta)
}
