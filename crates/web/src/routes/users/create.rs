//! `POST /admin/users`: creates a user for an admin.

use actix_web::web::Data;
use foretell_application::Registration;
use foretell_domain::text::{AvatarUrl, Email, UserName};
use foretell_domain::user::Role;
use foretell_ports::secret::NewPassword;
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use super::register::{RegisteredView, registered};
use crate::WebState;
use crate::dto::parsed::{Parsed, optional, required};
use crate::error::ErrorCode;
use crate::extract::{AdminInSession, Body, RequestContext, RequestDto};
use crate::openapi::names::RoleName;
use crate::reply::HandlerResult;

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({
    "email": "margaret@example.com",
    "name": "Margaret",
    "password": "correct horse",
    "role": "MODERATOR",
}))]
pub(super) struct NewUserBody {
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
    /// Role; `USER` if there is none.
    #[garde(dive)]
    #[schema(value_type = Option<RoleName>)]
    role: Option<Parsed<Role>>,
}

impl RequestDto for NewUserBody {
    type Input = Registration;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> Registration {
        let Self { email, name, password, avatar, role } = valid.into_inner();
        Registration {
            email: required(email),
            name: required(name),
            password: required(password),
            avatar: optional(avatar),
            role: optional(role).unwrap_or(Role::User),
        }
    }
}

/// Creates a user with an account and the sign-up grant, whoever may register by themselves. Fails
/// with `FORBIDDEN` for an API key.
#[utoipa::path(
    post,
    path = "/admin/users",
    operation_id = "createUser",
    tag = "users",
    request_body = NewUserBody,
    responses((status = 201, description = "Made.", body = RegisteredView<'static>)),
    security(("bearer" = ["admin_session"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::Duplicate, ErrorCode::CirculationLimit]))),
)]
pub(super) async fn create(
    state: Data<WebState>,
    AdminInSession(caller): AdminInSession,
    body: Body<NewUserBody>,
) -> HandlerResult {
    let registration = state.validate(body)?;
    let (user, made) = state.application.identity.create_user(&caller, registration).await?;
    registered(&state, &user, made)
}
