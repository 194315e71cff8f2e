//! Request and response types of users.

use foretell_domain::id::UserId;
use foretell_domain::policy::{self, Actor};
use foretell_domain::text::AvatarUrl;
use foretell_domain::user::{Role, User};
use serde::Serialize;
use utoipa::ToSchema;

use super::text::Text;
use super::time::Time;
use crate::openapi::names::{Id, RoleName, StatusName};

/// A user's profile.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserView<'a> {
    #[schema(value_type = Id)]
    id: Text<UserId>,
    name: &'a str,
    avatar: Option<&'a str>,
    #[schema(value_type = RoleName)]
    role: &'static str,
    created_at: Time,
    updated_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<StatusName>)]
    status: Option<&'static str>,
}

impl<'a> UserView<'a> {
    /// Creates the response with the public fields.
    pub(crate) fn public(user: &'a User) -> Self {
        Self { email: None, status: None, ..Self::of_self(user) }
    }

    /// Creates the response for the user themselves, with the email address and the status.
    pub(crate) fn of_self(user: &'a User) -> Self {
        Self::seen_by(Actor::User { id: user.id, role: Role::User }, user)
    }

    /// Creates the response with the fields that this actor may see.
    pub(crate) fn seen_by(actor: Actor, user: &'a User) -> Self {
        let sees_contact = policy::can_see_contact(actor, user.id);
        Self {
            id: Text(user.id),
            name: user.name.as_str(),
            avatar: user.avatar.as_ref().map(AvatarUrl::as_str),
            role: user.role.as_str(),
            created_at: Time(user.created_at),
            updated_at: Time(user.updated_at),
            email: sees_contact.then(|| user.email.as_str()),
            status: sees_contact.then(|| user.status.as_str()),
        }
    }
}

/// Returns the entity tag of a profile for this actor: the email address makes a different body.
pub(crate) fn entity_tag(actor: Actor, user: &User) -> String {
    let sees_contact = policy::can_see_contact(actor, user.id);
    format!("{}{}", user.version, if sees_contact { "-contact" } else { "" })
}
