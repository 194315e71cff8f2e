//! `POST /api-keys`: creates an API key.

use actix_web::web::Data;
use foretell_application::{NewApiKey, PasswordConfirmation};
use foretell_domain::scope::{Scope, Scopes};
use foretell_domain::text::KeyName;
use foretell_domain::time::Timestamp;
use garde::{Valid, Validate};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::api_key::ApiKeyView;
use crate::dto::parsed::{Distinct, Parsed, if_valid, optional, required, validated};
use crate::dto::time::{Time, in_future};
use crate::error::ErrorCode;
use crate::extract::{Body, ClientAddress, InSession, RequestContext, RequestDto};
use crate::openapi::names::ScopeName;
use crate::reply::{self, HandlerResult};

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({
    "name": "bot",
    "scopes": ["read", "trade"],
    "password": "correct horse",
}))]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyBody {
    #[garde(required, dive)]
    #[schema(required = true, value_type = String, min_length = 1, max_length = 50)]
    name: Option<Parsed<KeyName>>,
    #[garde(required, length(min = 1, max = Scope::ALL.len()), dive)]
    #[schema(required = true, value_type = Vec<ScopeName>, min_items = 1, max_items = 4)]
    scopes: Option<Distinct<Scope>>,
    #[garde(dive, custom(if_valid(in_future)))]
    #[schema(value_type = Option<Time>)]
    expires_at: Option<Parsed<Timestamp>>,
    #[garde(required, dive)]
    #[schema(required = true, value_type = String)]
    password: Option<Parsed<SecretString>>,
}

impl RequestDto for KeyBody {
    type Input = (NewApiKey, SecretString);

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> Self::Input {
        let Self { name, scopes, expires_at, password } = valid.into_inner();
        let scopes = validated(Scopes::new(validated(scopes).into_values()));
        (
            NewApiKey { name: required(name), scopes, expires_at: optional(expires_at) },
            required(password),
        )
    }
}

#[derive(Serialize, ToSchema)]
struct KeyCreated<'a> {
    #[serde(flatten)]
    key: ApiKeyView<'a>,
    secret: &'a str,
}

/// Creates an API key, which the caller confirms with the password; its secret is returned only
/// once. Also fails with `UNAUTHORIZED` for a wrong password. Fails with `FORBIDDEN` for an API
/// key. Fails with `QUOTA_EXCEEDED` if the user has the maximum number of keys.
#[utoipa::path(
    post,
    path = "/api-keys",
    operation_id = "createApiKey",
    tag = "api-keys",
    request_body = KeyBody,
    responses((status = 201, description = "Made.", body = KeyCreated<'static>)),
    security(("bearer" = ["session"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::QuotaExceeded]))),
)]
pub(super) async fn create(
    state: Data<WebState>,
    InSession(caller): InSession,
    ClientAddress(from): ClientAddress,
    body: Body<KeyBody>,
) -> HandlerResult {
    let (new, password) = state.validate(body)?;
    let confirmation = PasswordConfirmation { password, from };
    let issued = state.application.identity.create_api_key(&caller, confirmation, new).await?;
    let data =
        KeyCreated { key: ApiKeyView::new(&issued.key), secret: issued.secret.expose_secret() };
    reply::created(format_args!("/api-keys/{}", issued.key.id), data)
}
