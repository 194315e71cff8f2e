//! Users: their identity, roles and changes.

use thiserror::Error;

use crate::id::{ApiKeyId, UserId};
use crate::text::{AvatarUrl, Email, UserName};
use crate::time::Timestamp;

/// Role of a user; each includes the permissions of the previous ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "UPPERCASE")
)]
pub enum Role {
    /// Trades, and writes posts and comments.
    User,
    /// Also closes, resolves and cancels the markets of others.
    Moderator,
    /// Also mints money, reverses transfers and sees every account.
    Admin,
}

impl Role {
    /// Returns the name used in JSON and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Moderator => "MODERATOR",
            Self::Admin => "ADMIN",
        }
    }

    /// Returns the role with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::User, Self::Moderator, Self::Admin].into_iter().find(|role| role.as_str() == name)
    }
}

/// Status of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum UserStatus {
    /// May sign in.
    Active,
    /// May not sign in; all sessions and keys are rejected.
    Suspended,
    /// Erased for good: all personal data is deleted, while the account and its history are kept.
    Erased,
}

impl UserStatus {
    /// Returns the name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Erased => "erased",
        }
    }

    /// Returns the status with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Suspended, Self::Erased]
            .into_iter()
            .find(|status| status.as_str() == name)
    }
}

/// A registered user, without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct User {
    /// Identifier of the user.
    pub id: UserId,
    /// Email address for signing in, visible only to the user, moderators and admins.
    pub email: Email,
    /// Public name.
    pub name: UserName,
    /// URL of the picture.
    pub avatar: Option<AvatarUrl>,
    /// Role.
    pub role: Role,
    /// Status.
    pub status: UserStatus,
    /// Version, incremented by each change, from 1.
    pub version: i64,
    /// Registration time.
    pub created_at: Timestamp,
    /// Time of the last change, or of the registration.
    pub updated_at: Timestamp,
}

/// Requested changes of a user's own profile; `None` leaves a field unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProfileChange {
    /// New public name.
    pub name: Option<UserName>,
    /// Change of the picture.
    pub avatar: Option<AvatarChange>,
}

/// Change of a user's picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AvatarChange {
    /// Set this URL.
    Set(AvatarUrl),
    /// Remove the picture.
    Clear,
}

/// Requested changes of a user by an admin; `None` leaves a field unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UserUpdate {
    /// New role.
    pub role: Option<Role>,
    /// New status.
    pub status: Option<NewUserStatus>,
}

/// Status that an admin may set; admins cannot erase users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NewUserStatus {
    /// May sign in.
    Active,
    /// May not sign in.
    Suspended,
}

impl NewUserStatus {
    /// Returns the standing with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "active" => Some(Self::Active),
            "suspended" => Some(Self::Suspended),
            _ => None,
        }
    }
}

impl From<NewUserStatus> for UserStatus {
    fn from(status: NewUserStatus) -> Self {
        match status {
            NewUserStatus::Active => Self::Active,
            NewUserStatus::Suspended => Self::Suspended,
        }
    }
}

impl User {
    /// Returns `true` for an admin who may sign in.
    pub fn is_active_admin(&self) -> bool {
        self.role == Role::Admin && self.status == UserStatus::Active
    }

    /// Returns the user with another profile. A change to the same values leaves version and time.
    #[must_use]
    pub fn with_profile(&self, change: ProfileChange, now: Timestamp) -> Self {
        let changed = Self {
            name: change.name.unwrap_or_else(|| self.name.clone()),
            avatar: match change.avatar {
                None => self.avatar.clone(),
                Some(AvatarChange::Set(avatar)) => Some(avatar),
                Some(AvatarChange::Clear) => None,
            },
            ..self.clone()
        };
        self.counting(changed, now)
    }

    /// Returns the user with another role or status, unless this would remove the last of the
    /// `active_admins`. A change to the same values leaves version and time.
    ///
    /// # Errors
    /// [`UserError::Erased`], [`UserError::LastAdmin`].
    pub fn updated(
        &self,
        update: UserUpdate,
        active_admins: usize,
        now: Timestamp,
    ) -> Result<Self, UserError> {
        if self.status == UserStatus::Erased {
            return Err(UserError::Erased(self.id));
        }
        let changed = Self {
            role: update.role.unwrap_or(self.role),
            status: update.status.map_or(self.status, UserStatus::from),
            ..self.clone()
        };
        self.check_succession(&changed, active_admins)?;
        Ok(self.counting(changed, now))
    }

    /// Returns the user without personal data, unless this is the last of the `active_admins`. The
    /// id and the dates are kept; the email address becomes available again.
    ///
    /// # Errors
    /// [`UserError::Erased`], [`UserError::LastAdmin`].
    pub fn erased(&self, active_admins: usize, now: Timestamp) -> Result<Self, UserError> {
        if self.status == UserStatus::Erased {
            return Err(UserError::Erased(self.id));
        }
        let erased = Self {
            email: Email::of_erased(self.id),
            name: UserName::of_erased(),
            avatar: None,
            role: Role::User,
            status: UserStatus::Erased,
            ..self.clone()
        };
        self.check_succession(&erased, active_admins)?;
        Ok(self.counting(erased, now))
    }

    fn check_succession(&self, changed: &Self, active_admins: usize) -> Result<(), UserError> {
        let is_lost = self.is_active_admin() && !changed.is_active_admin();
        if is_lost && active_admins <= 1 { Err(UserError::LastAdmin) } else { Ok(()) }
    }

    fn counting(&self, changed: Self, now: Timestamp) -> Self {
        if changed == *self {
            return changed;
        }
        Self { version: self.version.saturating_add(1), updated_at: now, ..changed }
    }
}

/// Reason why an operation on a user is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum UserError {
    /// There is no such user.
    #[error("user not found: {0}")]
    NotFound(UserId),
    /// The user is erased, which is final.
    #[error("the user is deleted: {0}")]
    Erased(UserId),
    /// No active admin would be left.
    #[error("there must be another active admin first")]
    LastAdmin,
    /// The user has no such API key.
    #[error("API key not found: {0}")]
    KeyNotFound(ApiKeyId),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(role: Role, status: UserStatus) -> User {
        User {
            id: UserId::from_u128(7),
            email: Email::new("ada@example.org").unwrap(),
            name: UserName::new("Ada").unwrap(),
            avatar: Some(AvatarUrl::new("https://example.org/ada").unwrap()),
            role,
            status,
            version: 3,
            created_at: Timestamp::from_micros(5),
            updated_at: Timestamp::from_micros(6),
        }
    }

    const NOW: Timestamp = Timestamp::from_micros(9);

    #[test]
    fn profile_change_sets_given_fields() {
        let ada = user(Role::User, UserStatus::Active);
        let name = UserName::new("Countess").unwrap();
        let check = |change: ProfileChange, expected: User| {
            assert_eq!(ada.with_profile(change, NOW), expected);
        };
        check(ProfileChange::default(), ada.clone());
        check(ProfileChange { name: Some(ada.name.clone()), avatar: None }, ada.clone());
        check(
            ProfileChange { name: Some(name.clone()), avatar: None },
            User { name: name.clone(), version: 4, updated_at: NOW, ..ada.clone() },
        );
        check(
            ProfileChange { name: None, avatar: Some(AvatarChange::Clear) },
            User { avatar: None, version: 4, updated_at: NOW, ..ada.clone() },
        );
    }

    #[test]
    fn last_active_admin_cannot_be_removed() {
        use NewUserStatus::{Active, Suspended};
        let check = |who: User,
                     role,
                     status,
                     admins,
                     expected: Result<(Role, UserStatus, i64), UserError>| {
            let updated = who.updated(UserUpdate { role, status }, admins, NOW);
            let seen = updated.map(|user| (user.role, user.status, user.version));
            assert_eq!(seen, expected, "{role:?} {status:?} {admins}");
        };
        let plain = || user(Role::User, UserStatus::Active);
        let admin = || user(Role::Admin, UserStatus::Active);
        check(
            plain(),
            Some(Role::Moderator),
            None,
            1,
            Ok((Role::Moderator, UserStatus::Active, 4)),
        );
        check(plain(), None, Some(Suspended), 1, Ok((Role::User, UserStatus::Suspended, 4)));
        check(plain(), None, Some(Active), 1, Ok((Role::User, UserStatus::Active, 3)));
        check(plain(), None, None, 1, Ok((Role::User, UserStatus::Active, 3)));
        check(admin(), Some(Role::User), None, 1, Err(UserError::LastAdmin));
        check(admin(), None, Some(Suspended), 1, Err(UserError::LastAdmin));
        check(admin(), Some(Role::Admin), None, 1, Ok((Role::Admin, UserStatus::Active, 3)));
        check(admin(), Some(Role::User), None, 2, Ok((Role::User, UserStatus::Active, 4)));
        // A suspended admin is not an active one, so the number of active admins does not fall.
        let asleep = || user(Role::Admin, UserStatus::Suspended);
        check(asleep(), Some(Role::User), None, 1, Ok((Role::User, UserStatus::Suspended, 4)));
        let gone = || user(Role::User, UserStatus::Erased);
        check(gone(), None, Some(Active), 2, Err(UserError::Erased(UserId::from_u128(7))));
    }

    #[test]
    fn erased_user_has_no_personal_data() {
        let ada = user(Role::Moderator, UserStatus::Suspended);
        let erased = ada.erased(0, NOW).unwrap();
        assert_eq!(
            erased.email.as_str(),
            "erased-00000000-0000-0000-0000-000000000007@erased.invalid"
        );
        assert!(erased.email.is_of_erased() && !ada.email.is_of_erased());
        assert_eq!((erased.name.as_str(), &erased.avatar), ("Deleted user", &None));
        assert_eq!(
            (erased.role, erased.status, erased.version),
            (Role::User, UserStatus::Erased, 4)
        );
        assert_eq!((erased.id, erased.created_at), (ada.id, ada.created_at));
        assert_eq!(erased.erased(2, NOW), Err(UserError::Erased(ada.id)));
        let admin = user(Role::Admin, UserStatus::Active);
        assert_eq!(admin.erased(1, NOW), Err(UserError::LastAdmin));
        assert!(admin.erased(2, NOW).is_ok());
    }
}
