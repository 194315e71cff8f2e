//! `DELETE /users/{id}`: deletes the caller.

use actix_web::web::Data;
use foretell_application::PasswordConfirmation;
use foretell_domain::id::UserId;
use garde::Validate;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::extract::{ClientAddress, InSession, OptionalBody, ParseContext, ParseRequest, PathId};
use crate::reply::{self, HandlerResult};
use crate::routes::sessions::forget_cookie;
use crate::validation::ValidationErrors;

#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[schema(example = json!({ "password": "correct horse" }))]
#[serde(rename_all = "camelCase")]
pub(super) struct ErasureBody {
    #[garde(required)]
    #[schema(required = true, value_type = String)]
    password: Option<SecretString>,
}

impl ParseRequest for ErasureBody {
    type Input = SecretString;

    fn parse(self, errors: &mut ValidationErrors, _: &ParseContext<'_>) -> Option<SecretString> {
        errors.require("password", self.password)
    }
}

/// Deletes the caller, who must use their own id and confirm with the password: name, picture,
/// email address and password are deleted, the ledger is kept. 204, 400 `VALIDATION_ERROR`, 401
/// `UNAUTHORIZED` also for a wrong password, 403 `FORBIDDEN` for an API key and for other users,
/// 409 `CONFLICT` for the last active admin, 429 `RATE_LIMITED`.
#[utoipa::path(
    delete,
    path = "/users/{id}",
    operation_id = "deleteUser",
    tag = "users",
    request_body = ErasureBody,
    responses((status = 204, description = "No content.")),
    security(("bearer" = ["session"]), ("cookie" = [])),
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
    state.application.identity.erase_user(&caller, id, PasswordConfirmation { password, from }).await?;
    forget_cookie(reply::no_content(), &state.settings)
}
