//! `DELETE /sessions/{id or current}`: signs a user out.

use std::str::FromStr;

use actix_web::web::Data;
use foretell_domain::error::DomainError;
use foretell_domain::id::{IdError, SessionId};

use super::cookie::forget_cookie;
use crate::WebState;
use crate::error::{ApiError, ErrorCode};
use crate::extract::{ClientAddress, InSession, NoParams, Params, PathId};
use crate::reply::{self, HandlerResult};

/// A session of the caller.
pub(super) enum OwnSession {
    /// The session of the request.
    Current,
    /// The session with this id.
    Other(SessionId),
}

impl FromStr for OwnSession {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text == "current" { Ok(Self::Current) } else { text.parse().map(Self::Other) }
    }
}

/// Ends one of the caller's sessions; for the current one, the cookie is deleted too. Fails with
/// `FORBIDDEN` for an API key. Also fails with `NOT_FOUND` for sessions of other users.
#[utoipa::path(
    delete,
    path = "/sessions/{id}",
    operation_id = "logOut",
    tag = "sessions",
    responses((status = 204, description = "No content.")),
    security(("bearer" = ["session"]), ("cookie" = [])),
)]
pub(super) async fn log_out(
    state: Data<WebState>,
    InSession(caller): InSession,
    ClientAddress(from): ClientAddress,
    id: PathId<OwnSession>,
    params: Params<NoParams>,
) -> HandlerResult {
    let (id, ()) = state.validate((id, params))?;
    let current = caller.session().map_err(DomainError::Denied)?;
    let id = match id {
        OwnSession::Current => current,
        OwnSession::Other(id) => id,
    };
    if !state.application.identity.log_out(&caller, id, from).await? {
        return Err(ApiError::new(ErrorCode::NotFound, format!("Session not found: {id}")));
    }
    if id == current {
        forget_cookie(reply::no_content(), &state.settings)
    } else {
        Ok(reply::no_content())
    }
}
