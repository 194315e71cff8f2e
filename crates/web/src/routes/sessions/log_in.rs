//! `POST /sessions`: signs a user in.

use actix_web::web::Data;
use foretell_domain::id::SessionId;
use foretell_domain::text::Email;
use garde::Validate;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::session_cookie;
use crate::WebState;
use crate::dto::text::Text;
use crate::dto::time::Time;
use crate::dto::user::UserView;
use crate::error::ApiError;
use crate::extract::{Body, ClientAddress, InputContext, IntoInput};
use crate::faults::Faults;
use crate::reply::{self, Answer};

#[derive(Debug, Default, Deserialize, Validate)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CredentialsBody {
    #[garde(required)]
    email: Option<String>,
    #[garde(required)]
    password: Option<SecretString>,
}

pub(super) struct Credentials {
    email: Email,
    password: SecretString,
}

impl IntoInput for CredentialsBody {
    type Input = Credentials;

    fn into_input(self, faults: &mut Faults, _: &InputContext<'_>) -> Option<Credentials> {
        let email = faults.required("email", self.email, |text| Email::new(&text));
        let password = faults.require("password", self.password);
        Some(Credentials { email: email?, password: password? })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionBegun<'a> {
    id: Text<SessionId>,
    token: &'a str,
    expires_at: Time,
    user: UserView<'a>,
}

/// Begins a session; its token is shown this once, and set as a cookie. 201, 400 `VALIDATION_ERROR`,
/// 401 `UNAUTHORIZED`, 429 `RATE_LIMITED`, 503 `UNAVAILABLE`.
pub(super) async fn log_in(
    state: Data<WebState>,
    ClientAddress(from): ClientAddress,
    body: Body<CredentialsBody>,
) -> Answer {
    let Credentials { email, password } = state.accept(body)?;
    let begun = state.application.log_in(from, &email, password).await?;
    let (session, token) = (begun.session, begun.token.expose_secret());
    let user = UserView::of_self(&begun.user);
    let data = SessionBegun { id: Text(session.id), token, expires_at: Time(session.expires_at), user };
    let mut response = reply::created(format_args!("/sessions/{}", session.id), data)?;
    let lifetime_s = (session.expires_at.micros() - session.created_at.micros()) / 1_000_000;
    let cookie = session_cookie(token.to_owned(), lifetime_s, &state.settings);
    response.add_cookie(&cookie).map_err(ApiError::internal)?;
    Ok(response)
}
