//! `POST /users`: registers a user.

use actix_web::web::Data;
use foretell_application::Registration;
use foretell_domain::id::AccountId;
use foretell_domain::text::{Email, UserName};
use foretell_domain::user::Role;
use garde::Validate;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::money::Money;
use crate::dto::text::Text;
use crate::dto::user::{UserView, avatar, new_password};
use crate::extract::{Body, ParseContext, ParseRequest};
use crate::openapi::names::Id;
use crate::reply::{self, HandlerResult};
use crate::validation::ValidationErrors;

#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[schema(example = json!({ "email": "grace@example.com", "name": "Grace", "password": "correct horse" }))]
#[serde(rename_all = "camelCase")]
pub(super) struct RegistrationBody {
    #[garde(required)]
    #[schema(required = true, value_type = String, min_length = 3, max_length = 254)]
    email: Option<String>,
    #[garde(required)]
    #[schema(required = true, value_type = String, min_length = 1, max_length = 50)]
    name: Option<String>,
    #[garde(required)]
    #[schema(required = true, value_type = String, min_length = 8, max_length = 128)]
    password: Option<SecretString>,
    #[garde(skip)]
    #[schema(value_type = Option<String>, max_length = 500)]
    avatar: Option<String>,
}

impl ParseRequest for RegistrationBody {
    type Input = Registration;

    fn parse(self, errors: &mut ValidationErrors, _: &ParseContext<'_>) -> Option<Registration> {
        let email = errors.required("email", self.email, |text| Email::new(&text));
        let name = errors.required("name", self.name, UserName::new);
        let password = new_password("password", self.password, errors);
        let avatar = self.avatar.map_or(Some(None), |text| avatar(text, errors).map(Some));
        let (email, name, password, avatar) = (email?, name?, password?, avatar?);
        Some(Registration { email, name, password, avatar, role: Role::User })
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

/// Registers a user with an account and the sign-up grant. 201, 400 `VALIDATION_ERROR`, 409
/// `DUPLICATE` or `CIRCULATION_LIMIT`.
#[utoipa::path(
    post,
    path = "/users",
    operation_id = "registerUser",
    tag = "users",
    request_body = RegistrationBody,
    responses((status = 201, description = "Made.", body = Registered<'static>)),
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
