//! `DELETE /invitations/{id}`: deletes an invitation.

use actix_web::web::Data;
use foretell_domain::id::InvitationId;

use crate::WebState;
use crate::extract::{AdminInSession, NoParams, Params, PathId};
use crate::reply::{self, HandlerResult};

/// Deletes an invitation: nobody can register with it any more. Those who have registered with it
/// stay. Fails with `FORBIDDEN` for an API key.
#[utoipa::path(
    delete,
    path = "/invitations/{id}",
    operation_id = "deleteInvitation",
    tag = "invitations",
    responses((status = 204, description = "No content.")),
    security(("bearer" = ["admin_session"]), ("cookie" = [])),
)]
pub(super) async fn delete(
    state: Data<WebState>,
    AdminInSession(caller): AdminInSession,
    id: PathId<InvitationId>,
    params: Params<NoParams>,
) -> HandlerResult {
    let (id, ()) = state.validate((id, params))?;
    state.application.identity.delete_invitation(&caller, id).await?;
    Ok(reply::no_content())
}
