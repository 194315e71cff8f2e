//! `GET /markets/{id}/positions`: lists the positions in a market.

use actix_web::web::Data;
use foretell_domain::id::MarketId;
use foretell_ports::market::PositionRow;
use foretell_ports::page::Page;

use crate::WebState;
use crate::dto::market::position::PositionView;
use crate::dto::page::Paging;
use crate::extract::{Pagination, Params, PathId};
use crate::reply::{self, HandlerResult};

/// Lists positions: in version 1 by option and then by descending shares; from version 2 on by
/// holder.
#[utoipa::path(
    get,
    path = "/markets/{id}/positions",
    operation_id = "listPositions",
    tag = "markets",
    responses((status = 200, description = "Done.", body = Vec<PositionView>)),
)]
pub(super) async fn list_positions(
    state: Data<WebState>,
    id: PathId<MarketId>,
    params: Params<Pagination>,
) -> HandlerResult {
    let (id, paging) = state.validate((id, params))?;
    let application = &state.application;
    let details = application.markets.get_market(id).await?;
    let (mut rows, total) = match &paging {
        Paging::Page(page) => {
            let Page { rows, total } =
                application.queries.markets.page_positions(id, *page).await?;
            (rows, total)
        }
        Paging::Cursor(page) => {
            (application.queries.markets.list_positions(id, page.after(), page.limit()).await?, 0)
        }
    };
    let meta = paging.meta_with_total(&mut rows, PositionRow::key, total);
    let (market, prices) = (details.market.record(), details.market.probabilities());
    let currency = &application.settings().currency;
    let body = |row| PositionView::new(row, &prices, market, currency);
    // A position in an unknown option of its market is left out; `foretell doctor` reports it.
    reply::list(rows.iter().filter_map(body).collect::<Vec<_>>(), meta)
}
