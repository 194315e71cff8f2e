//! `GET /invitations`: lists invitations.

use actix_web::web::Data;

use crate::WebState;
use crate::dto::invitation::InvitationView;
use crate::extract::{AdminOnly, Manage, Pagination, Params};
use crate::reply::{self, HandlerResult};

/// Lists all invitations without their codes, newest first, also those that are used up or expired.
#[utoipa::path(
    get,
    path = "/invitations",
    operation_id = "listInvitations",
    tag = "invitations",
    responses((status = 200, description = "Done.", body = Vec<InvitationView>)),
    security(("bearer" = ["admin"]), ("cookie" = [])),
)]
pub(super) async fn list(
    state: Data<WebState>,
    AdminOnly(caller, ..): AdminOnly<Manage>,
    params: Params<Pagination>,
) -> HandlerResult {
    let paging = state.validate(params)?;
    let application = &state.application;
    let mut invitations = application.identity.list_invitations(&caller, paging.request()).await?;
    let meta = paging
        .meta(
            &mut invitations,
            |invitation| invitation.id,
            application.queries.users.count_invitations(),
        )
        .await?;
    let currency = &application.settings().currency;
    let views = invitations.iter().map(|invitation| InvitationView::new(currency, invitation));
    reply::list(views.collect::<Vec<_>>(), meta)
}
