//! `PATCH /users/{id}`: changes the role or status of a user.

use actix_web::web::Data;
use foretell_domain::id::UserId;
use foretell_domain::user::{NewUserStatus, Role, UserUpdate};
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::WebState;
use crate::dto::parsed::{Parsed, optional};
use crate::dto::user::{UserView, entity_tag};
use crate::error::ErrorCode;
use crate::extract::{AdminInSession, Body, IfMatch, PathId, RequestContext, RequestDto};
use crate::openapi::names::{RoleName, StandingName};
use crate::reply::{self, HandlerResult};

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({ "role": "MODERATOR" }))]
pub(super) struct UserUpdateBody {
    #[garde(dive)]
    #[schema(value_type = Option<RoleName>)]
    role: Option<Parsed<Role>>,
    #[garde(dive)]
    #[schema(value_type = Option<StandingName>)]
    status: Option<Parsed<NewUserStatus>>,
}

impl RequestDto for UserUpdateBody {
    type Input = UserUpdate;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> UserUpdate {
        let Self { role, status } = valid.into_inner();
        UserUpdate { role: optional(role), status: optional(status) }
    }
}

/// Changes the role or the status of a user. Fails with `CONFLICT` for the last active admin and
/// for a deleted user. Fails with `PRECONDITION_FAILED` if the user has another version than
/// `If-Match` requires.
#[utoipa::path(
    patch,
    path = "/users/{id}",
    operation_id = "updateUser",
    tag = "users",
    request_body = UserUpdateBody,
    params(("If-Match" = Option<String>, Header)),
    responses((status = 200, description = "Done.", body = UserView<'static>)),
    security(("bearer" = ["admin_session"]), ("cookie" = [])),
    extensions(("x-failures" = json!([ErrorCode::Conflict]))),
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
