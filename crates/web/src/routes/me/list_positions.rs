//! `GET /me/positions`: lists the caller's positions in all markets, with their profits.

use actix_web::web::Data;
use foretell_ports::portfolio::HeldPosition;

use crate::WebState;
use crate::dto::market::position::{OwnPositionView, Shown};
use crate::extract::{Pagination, Params, Read, SignedIn};
use crate::reply::{self, HandlerResult};

/// Lists the caller's positions, those of the newest market first.
#[utoipa::path(
    get,
    path = "/me/positions",
    operation_id = "listCurrentUserPositions",
    tag = "me",
    responses((status = 200, description = "Done.", body = Vec<OwnPositionView<'static>>)),
    security(("bearer" = ["read"]), ("cookie" = [])),
)]
pub(super) async fn list_positions(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Read>,
    params: Params<Pagination>,
) -> HandlerResult {
    let (paging, application) = (state.validate(params)?, &state.application);
    let mut held = application.trading.list_own_positions(&caller, paging.request()).await?;
    let total = application.trading.count_own_positions(&caller);
    let meta = paging.meta(&mut held, HeldPosition::key, total).await?;
    let related = application.trading.relate_to_positions(&caller, &held).await?;
    let shown = Shown { now: application.now(), currency: &application.settings().currency };
    // A position whose market is unreadable is left out.
    let rows = held.iter().filter_map(|held| OwnPositionView::new(held, &related, shown));
    reply::list(rows.collect::<Vec<_>>(), meta)
}
