//! Users as they are written.

use foretell_domain::id::UserId;
use foretell_domain::text::AvatarUrl;
use foretell_domain::user::User;
use serde::Serialize;

use super::text::Text;
use super::time::Time;

/// A user's profile.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserView<'a> {
    id: Text<UserId>,
    name: &'a str,
    avatar: Option<&'a str>,
    role: &'static str,
    created_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
}

impl<'a> UserView<'a> {
    /// The profile as anyone may see it.
    pub(crate) fn public(user: &'a User) -> Self {
        Self { email: None, ..Self::of_self(user) }
    }

    /// The profile as its own user sees it, with the mail address.
    pub(crate) fn of_self(user: &'a User) -> Self {
        Self {
            id: Text(user.id),
            name: user.name.as_str(),
            avatar: user.avatar.as_ref().map(AvatarUrl::as_str),
            role: user.role.as_str(),
            created_at: Time(user.created_at),
            email: Some(user.email.as_str()),
        }
    }
}
