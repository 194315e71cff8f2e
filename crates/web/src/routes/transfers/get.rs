//! `GET /transfers/{id}`: returns a transfer.

use actix_web::web::Data;
use foretell_domain::id::TransferId;

use crate::WebState;
use crate::dto::transfer::{TransferView, Visible};
use crate::extract::{NoParams, Params, PathId, Read, SignedIn};
use crate::reply::{self, HandlerResult};

/// Returns a transfer to the owners of its accounts. Also fails with `NOT_FOUND` for transfers that
/// the caller may not see.
#[utoipa::path(
    get,
    path = "/transfers/{id}",
    operation_id = "getTransfer",
    tag = "transfers",
    responses((status = 200, description = "Done.", body = TransferView<'static>)),
    security(("bearer" = ["read"]), ("cookie" = [])),
)]
pub(super) async fn get(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Read>,
    id: PathId<TransferId>,
    params: Params<NoParams>,
) -> HandlerResult {
    let (id, ()) = state.validate((id, params))?;
    let details = state.application.ledger.get_transfer(&caller, id).await?;
    let visible = Visible::to_reader_of(&details, &caller);
    reply::ok(TransferView::new(&details.transfer, &state.application.settings().currency, visible))
}
