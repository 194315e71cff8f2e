//! `GET /me`: returns the caller's profile.

use actix_web::web::Data;

use super::profile::{Me, own_profile};
use crate::WebState;
use crate::extract::{KnownTags, NoParams, Params, Read, SignedIn};
use crate::reply::{self, HandlerResult};

/// Returns the caller's profile and accounts.
#[utoipa::path(
    get,
    path = "/me",
    operation_id = "getCurrentUser",
    tag = "me",
    params(("If-None-Match" = Option<String>, Header)),
    responses((status = 200, description = "Done.", body = Me<'static>)),
    security(("bearer" = ["read"]), ("cookie" = [])),
)]
pub(super) async fn get(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Read>,
    params: Params<NoParams>,
    known: KnownTags,
) -> HandlerResult {
    state.validate(params)?;
    let (tag, profile) = own_profile(&state, &caller, &caller.user).await?;
    reply::unless_known(&known, tag, || profile)
}
