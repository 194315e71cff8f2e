//! `DELETE /sessions/{id or current}`: signs a user out.

use std::str::FromStr;

use actix_web::web::Data;
use foretell_domain::id::{IdError, SessionId};

use super::session_cookie;
use crate::WebState;
use crate::error::{ApiError, ErrorCode};
use crate::extract::{NoParams, Params, PathId, SignedIn};
use crate::reply::{self, Answer};

/// A session of the caller.
pub(super) enum OwnSession {
    /// The one that the request presents.
    Current,
    /// The one of this id.
    Other(SessionId),
}

impl FromStr for OwnSession {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text == "current" { Ok(Self::Current) } else { text.parse().map(Self::Other) }
    }
}

/// Ends one of the caller's sessions; for the one presented, the cookie goes too. 204, 401 `UNAUTHORIZED`,
/// 404 `NOT_FOUND` for what is not a session of theirs.
pub(super) async fn log_out(
    state: Data<WebState>,
    SignedIn(caller): SignedIn,
    id: PathId<OwnSession>,
    params: Params<NoParams>,
) -> Answer {
    let id = match state.accept((id, params))?.0 {
        OwnSession::Current => caller.session_id,
        OwnSession::Other(id) => id,
    };
    if !state.application.log_out(&caller, id).await? {
        return Err(ApiError::new(ErrorCode::NotFound, format!("Session not found: {id}")));
    }
    let mut response = reply::no_content();
    if id == caller.session_id {
        let cookie = session_cookie(String::new(), 0, &state.settings);
        response.add_cookie(&cookie).map_err(ApiError::internal)?;
    }
    Ok(response)
}
