//! `POST /users`: registers a user.

use actix_web::web::Data;
use foretell_application::SignUp;
use foretell_application::writer::Registered;
use foretell_domain::id::AccountId;
use foretell_domain::text::{AvatarUrl, Email, UserName};
use foretell_domain::user::User;
use foretell_ports::secret::NewPassword;
use garde::{Valid, Validate};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::money::Money;
use crate::dto::parsed::{Parsed, optional, required};
use crate::dto::text::Text;
use crate::dto::user::UserView;
use crate::error::ErrorCode;
use crate::extract::{Body, RequestContext, RequestDto};
use crate::openapi::names::Id;
use crate::reply::{self, HandlerResult};

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({
    "email": "grace@example.com",
    "name": "Grace",
    "password": "correct horse",
}))]
pub(super) struct RegistrationBody {
    #[garde(required, dive)]
    #[schema(required = true, value_type = String, min_length = 3, max_length = 254)]
    email: Option<Parsed<Email>>,
    #[garde(required, dive)]
    #[schema(required = true, value_type = String, min_length = 1, max_length = 50)]
    name: Option<Parsed<UserName>>,
    #[garde(required, dive)]
    #[schema(required = true, value_type = String, min_length = 8, max_length = 128)]
    password: Option<Parsed<NewPassword>>,
    #[garde(dive)]
    #[schema(value_type = Option<String>, max_length = 500)]
    avatar: Option<Parsed<AvatarUrl>>,
    /// Code of an invitation, which decides about role and grant.
    #[garde(dive)]
    #[schema(value_type = Option<String>)]
    invitation: Option<Parsed<SecretString>>,
}

impl RequestDto for RegistrationBody {
    type Input = SignUp;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> SignUp {
        let Self { email, name, password, avatar, invitation } = valid.into_inner();
        SignUp {
            email: required(email),
            name: required(name),
            password: required(password),
            avatar: optional(avatar),
            invitation: optional(invitation),
        }
    }
}

/// A new user with the account.
#[derive(Serialize, ToSchema)]
pub(super) struct RegisteredView<'a> {
    #[serde(flatten)]
    user: UserView<'a>,
    account: NewAccount,
}

#[derive(Serialize, ToSchema)]
struct NewAccount {
    #[schema(value_type = Id)]
    id: Text<AccountId>,
    balance: Money,
}

/// Creates the response to a registration.
pub(super) fn registered(state: &WebState, user: &User, made: Registered) -> HandlerResult {
    let currency = &state.application.settings().currency;
    let balance = Money::new(currency, made.balance.minor());
    let account = NewAccount { id: Text(made.account_id), balance };
    let data = RegisteredView { user: UserView::of_self(user), account };
    reply::created(format_args!("/users/{}", user.id), data)
}

/// Registers a user with an account and the sign-up grant, which each email address gets only once,
/// even if its user was deleted. Fails with `REGISTRATION_CLOSED`, `INVITATION_REQUIRED` or
/// `EMAIL_DOMAIN_NOT_ALLOWED` for people whom the server does not admit, and with
/// `INVITATION_INVALID` for an invitation that cannot be used.
#[utoipa::path(
    post,
    path = "/users",
    operation_id = "registerUser",
    tag = "users",
    request_body = RegistrationBody,
    responses((status = 201, description = "Made.", body = RegisteredView<'static>)),
    extensions(("x-failures" = json!([
        ErrorCode::Duplicate,
        ErrorCode::CirculationLimit,
        ErrorCode::RegistrationClosed,
        ErrorCode::InvitationRequired,
        ErrorCode::InvitationInvalid,
        ErrorCode::EmailDomainNotAllowed,
    ]))),
)]
pub(super) async fn register(state: Data<WebState>, body: Body<RegistrationBody>) -> HandlerResult {
    let new = state.validate(body)?;
    let (user, made) = state.application.identity.sign_up(new).await?;
    registered(&state, &user, made)
}
