//! `PATCH /me`: changes the caller's profile.

use actix_web::web::Data;
use foretell_domain::text::{AvatarUrl, UserName};
use foretell_domain::user::{AvatarChange, ProfileChange};
use garde::{Valid, Validate};
use serde::Deserialize;
use utoipa::ToSchema;

use super::profile::{Me, own_profile};
use crate::WebState;
use crate::dto::change::{Change, not_null};
use crate::dto::parsed::{Parsed, optional, required};
use crate::extract::{Body, IfMatch, Manage, RequestContext, RequestDto, SignedIn};
use crate::reply::{self, HandlerResult};

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(context(RequestContext))]
#[schema(example = json!({ "name": "Grace", "avatar": null }))]
pub(super) struct ProfileBody {
    #[garde(dive, custom(not_null))]
    #[schema(value_type = String, min_length = 1, max_length = 50)]
    #[serde(default)]
    name: Change<Parsed<UserName>>,
    #[garde(dive)]
    #[schema(value_type = Option<String>, max_length = 500)]
    #[serde(default)]
    avatar: Change<Parsed<AvatarUrl>>,
}

impl RequestDto for ProfileBody {
    type Input = ProfileChange;

    fn into_input(valid: Valid<Self>, _: &RequestContext) -> ProfileChange {
        let Self { name, avatar } = valid.into_inner();
        let avatar = match avatar {
            Change::Keep => None,
            Change::Clear => Some(AvatarChange::Clear),
            Change::Set(url) => Some(AvatarChange::Set(required(Some(url)))),
        };
        ProfileChange { name: optional(name.into_set()), avatar }
    }
}

/// Changes the caller's profile. Fails with `PRECONDITION_FAILED` if it has another version than
/// `If-Match` requires.
#[utoipa::path(
    patch,
    path = "/me",
    operation_id = "updateCurrentUser",
    tag = "me",
    request_body = ProfileBody,
    params(("If-Match" = Option<String>, Header)),
    responses((status = 200, description = "Done.", body = Me<'static>)),
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
