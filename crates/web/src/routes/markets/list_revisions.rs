//! `GET /markets/{id}/history`: lists the revisions of a market.

use actix_web::web::Data;
use foretell_domain::id::MarketId;
use foretell_ports::page::Page;

use crate::WebState;
use crate::dto::market::revision::MarketRevisionView;
use crate::extract::{Pagination, Params, PathId};
use crate::reply::{self, HandlerResult};

/// Lists the opening of a market, its edits and its clarifications, newest first.
#[utoipa::path(
    get,
    path = "/markets/{id}/history",
    operation_id = "listMarketRevisions",
    tag = "markets",
    responses((status = 200, description = "Done.", body = Vec<MarketRevisionView<'static>>)),
)]
pub(super) async fn list_revisions(
    state: Data<WebState>,
    id: PathId<MarketId>,
    params: Params<Pagination>,
) -> HandlerResult {
    let (id, paging) = state.validate((id, params))?;
    let Page { mut rows, total } =
        state.application.markets.list_revisions(id, paging.request()).await?;
    let meta = paging.meta_with_total(&mut rows, |revision| revision.number, total);
    let rows: Vec<_> = rows.iter().map(MarketRevisionView::from).collect();
    reply::list(rows, meta)
}
