//! Response with the caller's own profile.

use actix_web::http::header::EntityTag;
use foretell_application::Caller;
use foretell_domain::user::User;
use serde::Serialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::account::AccountView;
use crate::dto::user::UserView;
use crate::error::ApiError;
use crate::reply;

#[derive(Serialize, ToSchema)]
pub(super) struct Me<'a> {
    #[serde(flatten)]
    user: UserView<'a>,
    accounts: Vec<AccountView<'a>>,
}

/// Returns the caller's own profile and accounts with their entity tag; `user` is their current
/// state. Balances change without the profile, so the tag contains the number of accounts and
/// transfers after the user's version.
pub(super) async fn own_profile<'a>(
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
