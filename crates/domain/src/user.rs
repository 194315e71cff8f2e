//! Users: who they are, what role they play, and how they change.

use thiserror::Error;

use crate::id::{ApiKeyId, UserId};
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
    /// Is gone for good: nothing tells who it was, but their account and what they did with it are kept.
    Erased,
}

impl UserStatus {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Erased => "erased",
        }
    }

    /// The status of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Suspended, Self::Erased].into_iter().find(|status| status.as_str() == name)
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
    /// Counts the changes of all of this, from 1.
    pub version: i64,
    /// When they registered.
    pub created_at: Timestamp,
    /// When the version was last counted up; at first when they registered.
    pub updated_at: Timestamp,
}

/// What users change of their own profile; `None` leaves it as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProfileChange {
    /// What others see.
    pub name: Option<UserName>,
    /// Their picture.
    pub avatar: Option<AvatarChange>,
}

/// What becomes of a user's picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AvatarChange {
    /// It is found here.
    Set(AvatarUrl),
    /// There is none any more.
    Clear,
}

/// What an admin changes of a user; `None` leaves it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Appointment {
    /// What they may do.
    pub role: Option<Role>,
    /// Whether they may sign in.
    pub standing: Option<Standing>,
}

/// The statuses that an admin may give; no admin erases a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// May sign in.
    Active,
    /// May not.
    Suspended,
}

impl Standing {
    /// The standing of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "active" => Some(Self::Active),
            "suspended" => Some(Self::Suspended),
            _ => None,
        }
    }
}

impl From<Standing> for UserStatus {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Active => Self::Active,
            Standing::Suspended => Self::Suspended,
        }
    }
}

impl User {
    /// Whether they are an admin who may sign in.
    pub fn is_active_admin(&self) -> bool {
        self.role == Role::Admin && self.status == UserStatus::Active
    }

    /// The user with another profile from `now` on. A change to the same leaves version and time.
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

    /// The user with another role or standing from `now` on, unless the last of the `active_admins` would be lost
    /// by it. A change to the same leaves version and time.
    ///
    /// # Errors
    /// [`UserError::Erased`], [`UserError::LastAdmin`].
    pub fn appointed(
        &self,
        appointment: Appointment,
        active_admins: usize,
        now: Timestamp,
    ) -> Result<Self, UserError> {
        if self.status == UserStatus::Erased {
            return Err(UserError::Erased(self.id));
        }
        let changed = Self {
            role: appointment.role.unwrap_or(self.role),
            status: appointment.standing.map_or(self.status, UserStatus::from),
            ..self.clone()
        };
        self.check_succession(&changed, active_admins)?;
        Ok(self.counting(changed, now))
    }

    /// What is left of a user who wants to be gone, unless they are the last of the `active_admins`: the id and
    /// the dates. Their mail address is free again.
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

/// Why something about users is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum UserError {
    /// There is no such user.
    #[error("user not found: {0}")]
    NotFound(UserId),
    /// The user is erased, and stays so.
    #[error("the user is deleted: {0}")]
    Erased(UserId),
    /// There would be no active admin left.
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
    fn a_profile_changes_where_it_is_told_to() {
        let ada = user(Role::User, UserStatus::Active);
        let name = UserName::new("Countess").unwrap();
        let check =
            |change: ProfileChange, expected: User| assert_eq!(ada.with_profile(change, NOW), expected);
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
    fn appointments_leave_an_active_admin() {
        use Standing::{Active, Suspended};
        let check =
            |who: User, role, standing, admins, expected: Result<(Role, UserStatus, i64), UserError>| {
                let appointed = who.appointed(Appointment { role, standing }, admins, NOW);
                let seen = appointed.map(|user| (user.role, user.status, user.version));
                assert_eq!(seen, expected, "{role:?} {standing:?} {admins}");
            };
        let plain = || user(Role::User, UserStatus::Active);
        let admin = || user(Role::Admin, UserStatus::Active);
        check(plain(), Some(Role::Moderator), None, 1, Ok((Role::Moderator, UserStatus::Active, 4)));
        check(plain(), None, Some(Suspended), 1, Ok((Role::User, UserStatus::Suspended, 4)));
        check(plain(), None, Some(Active), 1, Ok((Role::User, UserStatus::Active, 3)));
        check(plain(), None, None, 1, Ok((Role::User, UserStatus::Active, 3)));
        check(admin(), Some(Role::User), None, 1, Err(UserError::LastAdmin));
        check(admin(), None, Some(Suspended), 1, Err(UserError::LastAdmin));
        check(admin(), Some(Role::Admin), None, 1, Ok((Role::Admin, UserStatus::Active, 3)));
        check(admin(), Some(Role::User), None, 2, Ok((Role::User, UserStatus::Active, 4)));
        // A suspended admin is none of the active ones, so that none is lost.
        let asleep = || user(Role::Admin, UserStatus::Suspended);
        check(asleep(), Some(Role::User), None, 1, Ok((Role::User, UserStatus::Suspended, 4)));
        let gone = || user(Role::User, UserStatus::Erased);
        check(gone(), None, Some(Active), 2, Err(UserError::Erased(UserId::from_u128(7))));
    }

    #[test]
    fn nothing_tells_who_an_erased_user_was() {
        let ada = user(Role::Moderator, UserStatus::Suspended);
        let erased = ada.erased(0, NOW).unwrap();
        assert_eq!(erased.email.as_str(), "erased-00000000-0000-0000-0000-000000000007@erased.invalid");
        assert!(erased.email.is_of_erased() && !ada.email.is_of_erased());
        assert_eq!((erased.name.as_str(), &erased.avatar), ("Deleted user", &None));
        assert_eq!((erased.role, erased.status, erased.version), (Role::User, UserStatus::Erased, 4));
        assert_eq!((erased.id, erased.created_at), (ada.id, ada.created_at));
        assert_eq!(erased.erased(2, NOW), Err(UserError::Erased(ada.id)));
        let admin = user(Role::Admin, UserStatus::Active);
        assert_eq!(admin.erased(1, NOW), Err(UserError::LastAdmin));
        assert!(admin.erased(2, NOW).is_ok());
    }
}
