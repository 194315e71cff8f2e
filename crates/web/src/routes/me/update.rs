//! `PATCH /me`: changes the caller's profile.

use actix_web::web::Data;
use foretell_domain::text::UserName;
use foretell_domain::user::{AvatarChange, ProfileChange};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::own_profile;
use crate::WebState;
use crate::dto::change::Change;
use crate::dto::user::avatar;
use crate::extract::{Body, IfMatch, Manage, ParseContext, ParseRequest, SignedIn};
use crate::reply::{self, HandlerResult};
use crate::validation::{FieldErrorCode, ValidationErrors};

#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[schema(example = json!({ "name": "Grace", "avatar": null }))]
#[serde(rename_all = "camelCase")]
pub(super) struct ProfileBody {
    #[garde(skip)]
    #[schema(value_type = String, min_length = 1, max_length = 50)]
    #[serde(default)]
    name: Change<String>,
    #[garde(skip)]
    #[schema(value_type = Option<String>, max_length = 500)]
    #[serde(default)]
    avatar: Change<String>,
}

impl ParseRequest for ProfileBody {
    type Input = ProfileChange;

    fn parse(self, errors: &mut ValidationErrors, _: &ParseContext<'_>) -> Option<ProfileChange> {
        let name = match self.name {
            Change::Keep => Some(None),
            Change::Set(name) => errors.check("name", UserName::new(name)).map(Some),
            Change::Clear => {
                errors.add("name", FieldErrorCode::Required, "must not be null");
                None
            }
        };
        let avatar = match self.avatar {
            Change::Keep => Some(None),
            Change::Set(text) => avatar(text, errors).map(|avatar| Some(AvatarChange::Set(avatar))),
            Change::Clear => Some(Some(AvatarChange::Clear)),
        };
        Some(ProfileChange { name: name?, avatar: avatar? })
    }
}

/// Changes the caller's profile. 200 with it, 400 `VALIDATION_ERROR`, 401 `UNAUTHORIZED`, 403
/// `FORBIDDEN`, 412 `PRECONDITION_FAILED` if it has another version than `If-Match` requires.
#[utoipa::path(
    patch,
    path = "/me",
    operation_id = "updateCurrentUser",
    tag = "me",
    request_body = ProfileBody,
    params(("If-Match" = Option<String>, Header)),
    responses((status = 200, description = "Done.", body = super::Me<'static>)),
    security(("bearer" = ["manage"]), ("cookie" = [])),
)]
pub(super) async fn update(
    state: Data<WebState>,
    SignedIn(caller, ..): SignedIn<Manage>,
    expected: IfMatch,
    body: Body<ProfileBody>,
) -> HandlerResult {
    let (expected, change) = state.validate((expected, body))?;
    let user = state.application.identity.change_profile(&caller, change, expected).await?;
    let (tag, profile) = own_profile(&state, &caller, &user).await?;
    reply::tagged(tag, reply::ok(profile)?)
}
