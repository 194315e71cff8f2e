//! `DELETE /users/{id}`: deletes the caller.

use actix_web::web::Data;
use foretell_application::PasswordConfirmation;
use foretell_domain::id::UserId;
use garde::{Valid, Validate};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::parsed::{Parsed, required};
use crate::error::ErrorCode;
use crate::extract::{ClientAddress, InSession, OptionalBody, PathId, RequestContext, RequestDto};
use crate::reply::{self, HandlerResult};
use crate::routes::sessions::forget_cookie;

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({ "password": "correct horse" }))]
pub(super) struct ErasureBody {
    #[garde(required, dive)]
    #[schema(required = true, value_type = String)]
    password: Option<Parsed<SecretString>>,
}

impl RequestDto for ErasureBody {
    type Input = SecretString;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> SecretString {
        required(valid.into_inner().password)
    }
}

/// Deletes the caller, who must use their own id and confirm with the password: name, picture,
/// email address and password are deleted, the ledger is kept. Also fails with `UNAUTHORIZED` for a
/// wrong password. Fails with `FORBIDDEN` for an API key and for other users. Fails with `CONFLICT`
/// for the last active admin.
#[utoipa::path(
    delete,
    path = "/users/{id}",
    operation_id = "deleteUser",
    tag = "users",
    request_body = ErasureBody,
    responses((status = 204, description = "No content.")),
    security(("bearer" = ["session"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::Conflict]))),
)]
pub(super) async fn erase(
    state: Data<WebState>,
    InSession(caller): InSession,
    ClientAddress(from): ClientAddress,
    id: PathId<UserId>,
    // A body dropped by a proxy is reported as a missing password.
    body: OptionalBody<ErasureBody>,
) -> HandlerResult {
    let (id, password) = state.validate((id, body))?;
    state
        .application
        .identity
        .erase_user(&caller, id, PasswordConfirmation { password, from })
        .await?;
    forget_cookie(reply::no_content(), &state.settings)
}
