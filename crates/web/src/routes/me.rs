//! The routes of the caller themselves.

mod change;
mod change_password;
mod show;

use actix_web::web::ServiceConfig;
use foretell_application::Caller;
use foretell_domain::user::User;
use serde::Serialize;

use crate::WebState;
use crate::dto::account::AccountView;
use crate::dto::user::UserView;
use crate::reply::{self, Answer};
use crate::routing::at;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/me").get(show::show).patch(change::change))
        .service(at("/me/password").post(change_password::change_password));
}

#[derive(Serialize)]
struct Me<'a> {
    #[serde(flatten)]
    user: UserView<'a>,
    accounts: Vec<AccountView<'a>>,
}

/// 200 with the caller's own profile and accounts; `user` is who they are now.
async fn own_profile(state: &WebState, caller: &Caller, user: &User) -> Answer {
    let accounts = state.application.list_accounts(caller).await?;
    let currency = &state.application.settings().currency;
    let accounts = accounts.iter().map(|account| AccountView::new(account, currency)).collect();
    reply::ok(Me { user: UserView::of_self(user), accounts })
}
