//! `POST /me/password`: changes the caller's password.

use actix_web::web::Data;
use foretell_application::{PasswordChange, PasswordConfirmation};
use foretell_ports::secret::NewPassword;
use garde::Validate;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::user::new_password;
use crate::extract::{Body, ClientAddress, InSession, ParseContext, ParseRequest};
use crate::reply::{self, HandlerResult};
use crate::validation::ValidationErrors;

#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[schema(example = json!({ "currentPassword": "correct horse", "newPassword": "battery staple" }))]
#[serde(rename_all = "camelCase")]
pub(super) struct PasswordBody {
    #[garde(required)]
    #[schema(required = true, value_type = String)]
    current_password: Option<SecretString>,
    #[garde(required)]
    #[schema(required = true, value_type = String, min_length = 8, max_length = 128)]
    new_password: Option<SecretString>,
    #[garde(skip)]
    #[schema(default = false)]
    revoke_api_keys: Option<bool>,
}

pub(super) struct Passwords {
    current: SecretString,
    new: NewPassword,
    revoke_api_keys: bool,
}

impl ParseRequest for PasswordBody {
    type Input = Passwords;

    fn parse(self, errors: &mut ValidationErrors, _: &ParseContext<'_>) -> Option<Passwords> {
        let current = errors.require("currentPassword", self.current_password);
        let new = new_password("newPassword", self.new_password, errors);
        let revoke_api_keys = self.revoke_api_keys.unwrap_or(false);
        Some(Passwords { current: current?, new: new?, revoke_api_keys })
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Changed {
    ended_sessions: usize,
    revoked_api_keys: usize,
}

/// Changes the caller's password and ends their other sessions; with `revokeApiKeys`, deletes their
/// API keys too. 200, 400 `VALIDATION_ERROR`, 401 `UNAUTHORIZED` also for a wrong password, 403
/// `FORBIDDEN` for an API key, 429 `RATE_LIMITED`.
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
