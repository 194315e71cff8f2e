//! `POST /api-keys`: creates an API key.

use actix_web::web::Data;
use foretell_application::{NewApiKey, PasswordConfirmation};
use foretell_domain::scope::{Scope, Scopes};
use foretell_domain::text::KeyName;
use foretell_domain::time::Timestamp;
use garde::Validate;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::api_key::ApiKeyView;
use crate::dto::time::{Time, parse_time};
use crate::extract::{Body, ClientAddress, InSession, ParseContext, ParseRequest};
use crate::openapi::names::ScopeName;
use crate::reply::{self, HandlerResult};
use crate::validation::{FieldErrorCode, ValidationErrors};

#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[schema(example = json!({ "name": "bot", "scopes": ["read", "trade"], "password": "correct horse" }))]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyBody {
    #[garde(required)]
    #[schema(required = true, value_type = String, min_length = 1, max_length = 50)]
    name: Option<String>,
    #[garde(required, length(min = 1, max = Scope::ALL.len()))]
    #[schema(required = true, value_type = Vec<ScopeName>, min_items = 1, max_items = 3)]
    scopes: Option<Vec<String>>,
    #[garde(skip)]
    #[schema(value_type = Option<Time>)]
    expires_at: Option<String>,
    #[garde(required)]
    #[schema(required = true, value_type = String)]
    password: Option<SecretString>,
}

impl ParseRequest for KeyBody {
    type Input = (NewApiKey, SecretString);

    fn parse(self, errors: &mut ValidationErrors, context: &ParseContext<'_>) -> Option<Self::Input> {
        let name = errors.required("name", self.name, KeyName::new);
        let scopes = errors.require("scopes", self.scopes).and_then(|names| scopes_of(&names, errors));
        let expires_at = errors.optional("expiresAt", self.expires_at, |text| parse_time(&text));
        refuse_past_end(expires_at.flatten(), errors, context.now);
        let password = errors.require("password", self.password);
        Some((NewApiKey { name: name?, scopes: scopes?, expires_at: expires_at? }, password?))
    }
}

fn scopes_of(names: &[String], errors: &mut ValidationErrors) -> Option<Scopes> {
    let mut known = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let field = format!("scopes[{index}]");
        match Scope::from_name(name) {
            None => errors.add(&field, FieldErrorCode::Invalid, "must be read, trade or manage"),
            Some(scope) if known.contains(&scope) => {
                errors.add(&field, FieldErrorCode::Repeated, "must differ from the other scopes");
            }
            Some(scope) => known.push(scope),
        }
    }
    (known.len() == names.len()).then(|| known.into_iter().collect())
}

fn refuse_past_end(expires_at: Option<Timestamp>, errors: &mut ValidationErrors, now: Timestamp) {
    if expires_at.is_some_and(|expires_at| expires_at <= now) {
        errors.add("expiresAt", FieldErrorCode::Range, "must be in the future");
    }
}

#[derive(Serialize, ToSchema)]
struct KeyCreated<'a> {
    #[serde(flatten)]
    key: ApiKeyView<'a>,
    secret: &'a str,
}

/// Creates an API key, which the caller confirms with the password; its secret is returned only
/// once. 201, 400 `VALIDATION_ERROR`, 401 `UNAUTHORIZED` also for a wrong password, 403 `FORBIDDEN`
/// for an API key, 409 `QUOTA_EXCEEDED` if the user has the maximum number of keys, 429
/// `RATE_LIMITED`.
#[utoipa::path(
    post,
    path = "/api-keys",
    operation_id = "createApiKey",
    tag = "api-keys",
    request_body = KeyBody,
    responses((status = 201, description = "Made.", body = KeyCreated<'static>)),
    security(("bearer" = ["session"]), ("cookie" = [])),
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
    let data = KeyCreated { key: ApiKeyView::new(&issued.key), secret: issued.secret.expose_secret() };
    reply::created(format_args!("/api-keys/{}", issued.key.id), data)
}
