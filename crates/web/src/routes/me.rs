//! The routes of the current user.

mod change_password;
mod get;
mod list_bets;
mod list_positions;
mod update;

use actix_web::http::header::EntityTag;
use actix_web::web::ServiceConfig;
use foretell_application::Caller;
use foretell_domain::user::User;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::WebState;
use crate::dto::account::AccountView;
use crate::dto::user::UserView;
use crate::error::ApiError;
use crate::reply;
use crate::routing::at;
use foretell_application::RequestKind;

/// Description of these routes.
#[derive(OpenApi)]
#[openapi(paths(
    list_bets::list_bets,
    list_positions::list_positions,
    get::get,
    update::update,
    change_password::change_password
))]
pub(super) struct Documented;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(at("/me").get(get::get).patch(update::update))
        .service(at("/me/bets").get(list_bets::list_bets))
        .service(at("/me/positions").get(list_positions::list_positions))
        .service(
            at("/me/password")
                .counted_as(RequestKind::LogIn)
                .post(change_password::change_password),
        );
}

#[derive(Serialize, ToSchema)]
struct Me<'a> {
    #[serde(flatten)]
    user: UserView<'a>,
    accounts: Vec<AccountView<'a>>,
}

/// Returns the caller's own profile and accounts with their entity tag; `user` is their current
/// state. Balances change without the profile, so the tag contains the number of accounts and
/// transfers after the user's version.
async fn own_profile<'a>(
    state: &'a WebState,
    caller: &Caller,
    user: &'a User,
) -> Result<(EntityTag, Me<'a>), ApiError> {
    let found = state.application.ledger.list_accounts(caller).await?;
    let transfers: i64 = found.iter().map(|details| details.account.version()).sum();
    let tag = reply::version_tag(format_args!("{}-{}.{transfers}", user.version, found.len()));
    let currency = &state.application.settings().currency;
    let accounts = found.iter().map(|account| AccountView::new(account, currency)).collect();
    Ok((tag, Me { user: UserView::of_self(user), accounts }))
}
