//! `GET /me`: who the caller is.

use actix_web::web::Data;

use super::own_profile;
use crate::WebState;
use crate::extract::{NoParams, Params, Read, SignedIn};
use crate::reply::Answer;

/// Shows the caller's profile and accounts. 200, 401 `UNAUTHORIZED`, 403 `FORBIDDEN`.
pub(super) async fn show(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Read>,
    params: Params<NoParams>,
) -> Answer {
    state.accept(params)?;
    own_profile(&state, &caller, &caller.user).await
}
