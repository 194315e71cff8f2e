//! `POST /sessions`: signs a user in.

use actix_web::web::Data;
use foretell_domain::id::SessionId;
use foretell_domain::text::Email;
use garde::{Valid, Validate};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::cookie::session_cookie;
use crate::WebState;
use crate::dto::parsed::{Parsed, required};
use crate::dto::text::Text;
use crate::dto::time::Time;
use crate::dto::user::UserView;
use crate::error::{ApiError, ErrorCode};
use crate::extract::{Body, ClientAddress, RequestContext, RequestDto};
use crate::openapi::names::Id;
use crate::reply::{self, HandlerResult};

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({ "email": "grace@example.com", "password": "correct horse" }))]
pub(super) struct CredentialsBody {
    #[garde(required, dive)]
    #[schema(required = true, value_type = String)]
    email: Option<Parsed<Email>>,
    #[garde(required, dive)]
    #[schema(required = true, value_type = String)]
    password: Option<Parsed<SecretString>>,
}

pub(super) struct Credentials {
    email: Email,
    password: SecretString,
}

impl RequestDto for CredentialsBody {
    type Input = Credentials;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> Credentials {
        let Self { email, password } = valid.into_inner();
        Credentials { email: required(email), password: required(password) }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SessionBegun<'a> {
    #[schema(value_type = Id)]
    id: Text<SessionId>,
    token: &'a str,
    expires_at: Time,
    user: UserView<'a>,
}

/// Creates a session; its token is returned only once, and set as a cookie.
#[utoipa::path(
    post,
    path = "/sessions",
    operation_id = "logIn",
    tag = "sessions",
    request_body = CredentialsBody,
    responses((status = 201, description = "Made.", body = SessionBegun<'static>)),
    extensions(("x-failures" = json!([ErrorCode::Unauthorized]))),
)]
pub(super) async fn log_in(
    state: Data<WebState>,
    ClientAddress(from): ClientAddress,
    body: Body<CredentialsBody>,
) -> HandlerResult {
    let Credentials { email, password } = state.validate(body)?;
    let begun = state.application.identity.log_in(from, &email, password).await?;
    let (session, token) = (begun.session, begun.token.expose_secret());
    let user = UserView::of_self(&begun.user);
    let data =
        SessionBegun { id: Text(session.id), token, expires_at: Time(session.expires_at), user };
    let mut response = reply::created(format_args!("/sessions/{}", session.id), data)?;
    let lifetime_s = (session.expires_at.micros() - session.created_at.micros()) / 1_000_000;
    let cookie = session_cookie(token.to_owned(), lifetime_s, &state.settings);
    response.add_cookie(&cookie).map_err(ApiError::internal)?;
    Ok(response)
}
