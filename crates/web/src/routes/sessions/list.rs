//! `GET /sessions`: lists the caller's sessions.

use actix_web::web::Data;
use foretell_domain::id::SessionId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::text::Text;
use crate::dto::time::Time;
use crate::extract::{InSession, Pagination, Params};
use crate::openapi::names::Id;
use crate::reply::{self, HandlerResult};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SessionView {
    #[schema(value_type = Id)]
    id: Text<SessionId>,
    is_current: bool,
    created_at: Time,
    expires_at: Time,
}

/// Lists the caller's live sessions, newest first, and marks the current one. Fails with
/// `FORBIDDEN` for an API key.
#[utoipa::path(
    get,
    path = "/sessions",
    operation_id = "listSessions",
    tag = "sessions",
    responses((status = 200, description = "Done.", body = Vec<SessionView>)),
    security(("bearer" = ["session"]), ("cookie" = [])),
)]
pub(super) async fn list(
    state: Data<WebState>,
    InSession(caller): InSession,
    params: Params<Pagination>,
) -> HandlerResult {
    let paging = state.validate(params)?;
    let mut sessions = state.application.identity.list_sessions(&caller, paging.request()).await?;
    let total = state.application.identity.count_sessions(&caller);
    let meta = paging.meta(&mut sessions, |session| session.id, total).await?;
    let rows = sessions.iter().map(|session| SessionView {
        id: Text(session.id),
        is_current: caller.session() == Ok(session.id),
        created_at: Time(session.created_at),
        expires_at: Time(session.expires_at),
    });
    reply::list(rows.collect::<Vec<_>>(), meta)
}
