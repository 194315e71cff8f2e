//! `POST /me/password`: changes the caller's password.

use actix_web::web::Data;
use foretell_application::PasswordChange;
use garde::Validate;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::WebState;
use crate::dto::user::new_password;
use crate::extract::{Body, ClientAddress, InSession, InputContext, IntoInput};
use crate::faults::Faults;
use crate::reply::{self, Answer};

#[derive(Debug, Default, Deserialize, Validate)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PasswordBody {
    #[garde(required)]
    current_password: Option<SecretString>,
    #[garde(required)]
    new_password: Option<SecretString>,
}

pub(super) struct Passwords {
    current: SecretString,
    new: SecretString,
}

impl IntoInput for PasswordBody {
    type Input = Passwords;

    fn into_input(self, faults: &mut Faults, _: &InputContext<'_>) -> Option<Passwords> {
        let current = faults.require("currentPassword", self.current_password);
        let new = new_password("newPassword", self.new_password, faults);
        Some(Passwords { current: current?, new: new? })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    ended_sessions: usize,
}

/// Changes the caller's password and ends their other sessions; says how many. 200, 400 `VALIDATION_ERROR`,
/// 401 `UNAUTHORIZED` also for a wrong password, 403 `FORBIDDEN` for an API key, 429 `RATE_LIMITED`.
pub(super) async fn change_password(
    state: Data<WebState>,
    InSession(caller): InSession,
    ClientAddress(from): ClientAddress,
    body: Body<PasswordBody>,
) -> Answer {
    let Passwords { current, new } = state.accept(body)?;
    let change = PasswordChange { current, new, from };
    let ended_sessions = state.application.change_password(&caller, change).await?;
    reply::ok(Changed { ended_sessions })
}
