//! `GET /users/{id}`: returns a user's profile.

use actix_web::web::Data;
use foretell_domain::id::UserId;

use crate::WebState;
use crate::dto::user::{UserView, entity_tag};
use crate::extract::{KnownTags, NoParams, Params, PathId, Read, SignedIn};
use crate::reply::{self, HandlerResult};

/// Returns a user; email address and status only to the user, moderators and admins.
#[utoipa::path(
    get,
    path = "/users/{id}",
    operation_id = "getUser",
    tag = "users",
    params(("If-None-Match" = Option<String>, Header)),
    responses((status = 200, description = "Done.", body = UserView<'static>)),
    security(("bearer" = ["read"]), ("cookie" = [])),
)]
pub(super) async fn get(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Read>,
    id: PathId<UserId>,
    params: Params<NoParams>,
    known: KnownTags,
) -> HandlerResult {
    let (id, ()) = state.validate((id, params))?;
    let user = state.application.identity.get_user(id).await?;
    let actor = caller.actor();
    let tag = reply::version_tag(entity_tag(actor, &user));
    reply::unless_known(&known, tag, || UserView::seen_by(actor, &user))
}
