//! `GET /accounts`: the caller's own accounts.

use actix_web::web::Data;

use crate::WebState;
use crate::dto::account::AccountView;
use crate::extract::{Pagination, Params, Read, SignedIn};
use crate::reply::{self, HandlerResult};

/// Lists the caller's accounts, newest first.
#[utoipa::path(
    get,
    path = "/accounts",
    operation_id = "listAccounts",
    tag = "accounts",
    responses((status = 200, description = "Done.", body = Vec<AccountView<'static>>)),
    security(("bearer" = ["read"]), ("cookie" = [])),
)]
pub(super) async fn list(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Read>,
    params: Params<Pagination>,
) -> HandlerResult {
    let paging = state.validate(params)?;
    let mut accounts = state.application.ledger.list_accounts(&caller).await?;
    accounts.reverse();
    // A user has few accounts, so they are read together and divided here.
    let meta = paging.divide(&mut accounts, |details| details.account.id());
    let currency = &state.application.settings().currency;
    let rows: Vec<_> = accounts.iter().map(|account| AccountView::new(account, currency)).collect();
    reply::list(rows, meta)
}
