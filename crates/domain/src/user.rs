//! Users: who they are and what role they play.

use crate::id::UserId;
use crate::text::{AvatarUrl, Email, UserName};
use crate::time::Timestamp;

/// What a user may do beyond their own affairs; each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "UPPERCASE"))]
pub enum Role {
    /// Trades and writes.
    User,
    /// Also closes, resolves and cancels the markets of others.
    Moderator,
    /// Also mints money, reverses transfers and sees every account.
    Admin,
}

impl Role {
    /// The name on the wire and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Moderator => "MODERATOR",
            Self::Admin => "ADMIN",
        }
    }

    /// The role of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::User, Self::Moderator, Self::Admin].into_iter().find(|role| role.as_str() == name)
    }
}

/// Whether a user may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserStatus {
    /// May sign in.
    Active,
    /// May not sign in, and no session or key of theirs is honoured.
    Suspended,
}

impl UserStatus {
    /// The name in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    /// The status of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Suspended].into_iter().find(|status| status.as_str() == name)
    }
}

/// A registered user, without any secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Names the user.
    pub id: UserId,
    /// How the user signs in; shown to nobody but them and the staff.
    pub email: Email,
    /// What others see.
    pub name: UserName,
    /// Where their picture is found.
    pub avatar: Option<AvatarUrl>,
    /// What they may do.
    pub role: Role,
    /// Whether they may sign in.
    pub status: UserStatus,
    /// When they registered.
    pub created_at: Timestamp,
}
