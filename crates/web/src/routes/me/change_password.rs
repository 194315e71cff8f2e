//! `POST /me/password`: changes the caller's password.

use actix_web::web::Data;
use foretell_application::{PasswordChange, PasswordConfirmation};
use foretell_ports::secret::NewPassword;
use garde::{Valid, Validate};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::parsed::{Parsed, optional, required};
use crate::extract::{Body, ClientAddress, InSession, RequestContext, RequestDto};
use crate::reply::{self, HandlerResult};

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({ "currentPassword": "correct horse", "newPassword": "battery staple" }))]
#[serde(rename_all = "camelCase")]
pub(super) struct PasswordBody {
    #[garde(required, dive)]
    #[schema(required = true, value_type = String)]
    current_password: Option<Parsed<SecretString>>,
    #[garde(required, dive)]
    #[schema(required = true, value_type = String, min_length = 8, max_length = 128)]
    new_password: Option<Parsed<NewPassword>>,
    #[garde(dive)]
    #[schema(value_type = Option<bool>, default = false)]
    revoke_api_keys: Option<Parsed<bool>>,
}

pub(super) struct Passwords {
    current: SecretString,
    new: NewPassword,
    revoke_api_keys: bool,
}

impl RequestDto for PasswordBody {
    type Input = Passwords;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> Passwords {
        let Self { current_password, new_password, revoke_api_keys } = valid.into_inner();
        Passwords {
            current: required(current_password),
            new: required(new_password),
            revoke_api_keys: optional(revoke_api_keys).unwrap_or(false),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Changed {
    ended_sessions: usize,
    revoked_api_keys: usize,
}

/// Changes the caller's password and ends their other sessions; with `revokeApiKeys`, deletes their
/// API keys too. Also fails with `UNAUTHORIZED` for a wrong password. Fails with `FORBIDDEN` for an
/// API key.
#[utoipa::path(
    post,
    path = "/me/password",
    operation_id = "changePassword",
    tag = "me",
    request_body = PasswordBody,
    responses((status = 200, description = "Done.", body = Changed)),
    security(("bearer" = ["session"]), ("cookie" = [])),
)]
pub(super) async fn change_password(
    state: Data<WebState>,
    InSession(caller): InSession,
    ClientAddress(from): ClientAddress,
    body: Body<PasswordBody>,
) -> HandlerResult {
    let Passwords { current, new, revoke_api_keys } = state.validate(body)?;
    let current = PasswordConfirmation { password: current, from };
    let change = PasswordChange { current, new, revoke_api_keys };
    let ended = state.application.identity.change_password(&caller, change).await?;
    reply::ok(Changed { ended_sessions: ended.sessions, revoked_api_keys: ended.api_keys })
}
