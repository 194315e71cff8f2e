//! `GET /proposals`: lists the proposed resolutions of all markets.

use actix_web::web::Data;
use foretell_ports::market::ProposalKey;

use crate::WebState;
use crate::dto::market::resolution::ResolutionView;
use crate::extract::{Pagination, Params};
use crate::reply::{self, HandlerResult};

/// Lists the proposed resolutions that wait, the first to take effect first.
#[utoipa::path(
    get,
    path = "/proposals",
    operation_id = "listProposals",
    tag = "markets",
    responses((status = 200, description = "Done.", body = Vec<ResolutionView<'static>>)),
)]
pub(super) async fn list_proposals(
    state: Data<WebState>,
    params: Params<Pagination>,
) -> HandlerResult {
    let paging = state.validate(params)?;
    let application = &state.application;
    let mut rows = application.markets.list_proposals(paging.request()).await?;
    let total = application.queries.markets.count_proposals();
    let meta = paging.meta(&mut rows, |(proposal, _)| ProposalKey::of(proposal), total).await?;
    let currency = &application.settings().currency;
    let mut views = Vec::with_capacity(rows.len());
    for (proposal, details) in &rows {
        views.push(ResolutionView::new(proposal, &details.market.record().options, currency));
    }
    reply::list(views, meta)
}
