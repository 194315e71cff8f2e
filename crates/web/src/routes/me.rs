//! `GET /me`: who the caller is.

use actix_web::web::{Data, ServiceConfig};
use serde::Serialize;

use crate::WebState;
use crate::dto::account::AccountView;
use crate::dto::user::UserView;
use crate::extract::{NoParams, Params, SignedIn};
use crate::reply::{self, Answer};
use crate::routing::at;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(at("/me").get(show));
}

#[derive(Serialize)]
struct Me<'a> {
    #[serde(flatten)]
    user: UserView<'a>,
    accounts: Vec<AccountView<'a>>,
}

/// Shows the caller's profile and accounts. 200, 401 `UNAUTHORIZED`.
async fn show(state: Data<WebState>, SignedIn(caller): SignedIn, params: Params<NoParams>) -> Answer {
    state.accept(params)?;
    let accounts = state.application.list_accounts(&caller).await?;
    let currency = &state.application.settings().currency;
    let accounts = accounts.iter().map(|account| AccountView::new(account, currency)).collect();
    reply::ok(Me { user: UserView::of_self(&caller.user), accounts })
}
