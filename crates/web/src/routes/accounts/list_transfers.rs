//! `GET /accounts/{id}/transfers`: the statement of an account.

use actix_web::web::Data;
use foretell_domain::id::AccountId;
use foretell_domain::transfer::Transfer;
use foretell_ports::page::Page;
use serde::Serialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::transfer::{TransferView, Visible};
use crate::extract::{Pagination, Params, PathId, Read, SignedIn};
use crate::reply::{self, HandlerResult};

#[derive(Serialize, ToSchema)]
struct StatementRow<'a> {
    direction: &'static str,
    #[serde(flatten)]
    transfer: TransferView<'a>,
}

/// Lists the transfers of an account, newest first. Also fails with `NOT_FOUND` for accounts that
/// the caller may not see.
#[utoipa::path(
    get,
    path = "/accounts/{id}/transfers",
    operation_id = "listAccountTransfers",
    tag = "accounts",
    responses((status = 200, description = "Done.", body = Vec<StatementRow<'static>>)),
    security(("bearer" = ["read"]), ("cookie" = [])),
)]
pub(super) async fn list_transfers(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Read>,
    id: PathId<AccountId>,
    params: Params<Pagination>,
) -> HandlerResult {
    let (id, paging) = state.validate((id, params))?;
    let Page { mut rows, total } =
        state.application.ledger.list_transfers(&caller, id, paging.request()).await?;
    let meta = paging.meta_with_total(&mut rows, |transfer| version_of(id, transfer), total);
    let currency = &state.application.settings().currency;
    let rows = rows.iter().map(|transfer| StatementRow {
        direction: if transfer.credit.account_id == id { "in" } else { "out" },
        transfer: TransferView::new(
            transfer,
            currency,
            Visible::to_holder_of(id, &caller, transfer),
        ),
    });
    reply::list(rows.collect::<Vec<_>>(), meta)
}

/// Returns the version that a transfer gave an account.
fn version_of(account: AccountId, transfer: &Transfer) -> i64 {
    let is_credited = transfer.credit.account_id == account;
    if is_credited { transfer.credit.version } else { transfer.debit.version }
}
