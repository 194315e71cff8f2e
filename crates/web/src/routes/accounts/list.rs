//! `GET /accounts`: the caller's own accounts.

use actix_web::web::Data;

use crate::WebState;
use crate::dto::account::AccountView;
use crate::dto::page::PageParams;
use crate::extract::{Params, SignedIn};
use crate::reply::{self, Answer};

/// Lists the caller's accounts, newest first. 200, 400 `VALIDATION_ERROR`, 401 `UNAUTHORIZED`.
pub(super) async fn list(
    state: Data<WebState>,
    SignedIn(caller): SignedIn,
    params: Params<PageParams>,
) -> Answer {
    let page = state.accept(params)?;
    let accounts = state.application.list_accounts(&caller).await?;
    let currency = &state.application.settings().currency;
    let total = i64::try_from(accounts.len()).unwrap_or(i64::MAX);
    // A user has few accounts, so they are read together and divided here.
    let skipped = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    let rows = accounts.iter().rev().skip(skipped).take(page.limit() as usize);
    let rows: Vec<_> = rows.map(|account| AccountView::new(account, currency)).collect();
    reply::page(rows, page, total)
}
