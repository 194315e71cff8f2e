//! `PATCH /users/{id}`: changes the role or status of a user.

use actix_web::web::Data;
use foretell_domain::id::UserId;
use foretell_domain::user::{NewUserStatus, Role, UserUpdate};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::user::{UserView, entity_tag};
use crate::extract::{AdminInSession, Body, IfMatch, ParseContext, ParseRequest, PathId};
use crate::openapi::names::{RoleName, StandingName};
use crate::reply::{self, HandlerResult};
use crate::validation::{FieldErrorCode, ValidationErrors};

#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[schema(example = json!({ "role": "MODERATOR" }))]
#[serde(rename_all = "camelCase")]
pub(super) struct UserUpdateBody {
    #[garde(skip)]
    #[schema(value_type = Option<RoleName>)]
    role: Option<String>,
    #[garde(skip)]
    #[schema(value_type = Option<StandingName>)]
    status: Option<String>,
}

impl ParseRequest for UserUpdateBody {
    type Input = UserUpdate;

    fn parse(self, errors: &mut ValidationErrors, _: &ParseContext<'_>) -> Option<UserUpdate> {
        let mut unknown =
            |field, choice| errors.add(field, FieldErrorCode::Invalid, format!("must be {choice}"));
        let role = self.role.map(|name| {
            let role = Role::from_name(&name);
            role.ok_or_else(|| unknown("role", "USER, MODERATOR or ADMIN"))
        });
        let status = self.status.map(|name| {
            let status = NewUserStatus::from_name(&name);
            status.ok_or_else(|| unknown("status", "active or suspended"))
        });
        Some(UserUpdate { role: role.transpose().ok()?, status: status.transpose().ok()? })
    }
}

/// Changes the role or the status of a user. 200 with the user, 400 `VALIDATION_ERROR`, 401
/// `UNAUTHORIZED`, 403 `FORBIDDEN`, 404 `NOT_FOUND`, 409 `CONFLICT` for the last active admin and
/// for a deleted user, 412 `PRECONDITION_FAILED` if the user has another version than `If-Match`
/// requires.
#[utoipa::path(
    patch,
    path = "/users/{id}",
    operation_id = "updateUser",
    tag = "users",
    request_body = UserUpdateBody,
    params(("If-Match" = Option<String>, Header)),
    responses((status = 200, description = "Done.", body = UserView<'static>)),
    security(("bearer" = ["admin_session"]), ("cookie" = [])),
)]
pub(super) async fn update(
    state: Data<WebState>,
    AdminInSession(caller): AdminInSession,
    id: PathId<UserId>,
    expected: IfMatch,
    body: Body<UserUpdateBody>,
) -> HandlerResult {
    let (id, expected, update) = state.validate((id, expected, body))?;
    let user = state.application.identity.update_user(&caller, id, update, expected).await?;
    let tag = reply::version_tag(entity_tag(caller.actor(), &user));
    reply::tagged(tag, reply::ok(UserView::seen_by(caller.actor(), &user))?)
}
