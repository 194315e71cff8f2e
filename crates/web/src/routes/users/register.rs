//! `POST /users`: registers a user.

use actix_web::web::Data;
use foretell_application::Registration;
use foretell_domain::id::AccountId;
use foretell_domain::text::{AvatarUrl, Email, UserName};
use foretell_domain::user::Role;
use foretell_ports::secret::NewPassword;
use garde::{Valid, Validate};
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
}

impl RequestDto for RegistrationBody {
    type Input = Registration;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> Registration {
        let Self { email, name, password, avatar } = valid.into_inner();
        Registration {
            email: required(email),
            name: required(name),
            password: required(password),
            avatar: optional(avatar),
            role: Role::User,
        }
    }
}

#[derive(Serialize, ToSchema)]
struct Registered<'a> {
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

/// Registers a user with an account and the sign-up grant, which each email address gets only once,
/// even if its user was deleted.
#[utoipa::path(
    post,
    path = "/users",
    operation_id = "registerUser",
    tag = "users",
    request_body = RegistrationBody,
    responses((status = 201, description = "Made.", body = Registered<'static>)),
    extensions(("x-failures" = json!([ErrorCode::Duplicate, ErrorCode::CirculationLimit]))),
)]
pub(super) async fn register(state: Data<WebState>, body: Body<RegistrationBody>) -> HandlerResult {
    let registration = state.validate(body)?;
    let (user, registered) = state.application.identity.register_user(registration).await?;
    let currency = &state.application.settings().currency;
    let balance = Money::new(currency, registered.balance.minor());
    let account = NewAccount { id: Text(registered.account_id), balance };
    let data = Registered { user: UserView::of_self(&user), account };
    reply::created(format_args!("/users/{}", user.id), data)
}
