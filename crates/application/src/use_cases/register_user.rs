//! Registers users, with an account and the sign-up grant.

use foretell_domain::error::DomainError;
use foretell_domain::id::AccountId;
use foretell_domain::policy::Actor;
use foretell_domain::text::{AvatarUrl, Email, UserName};
use foretell_domain::user::{Role, User, UserStatus};
use foretell_ports::secret::NewPassword;

use crate::Application;
use crate::authorization::Principal;
use crate::error::AppError;
use crate::writer::{Command, Outcome, Register, Registered};

/// The key under which a registration is stored; its user is its own. It has a space, which no key of a client
/// has, so it is not taken from the user.
const REGISTRATION_KEY: &str = "the registration";

/// Who wants to register.
#[derive(Debug, Clone)]
pub struct Registration {
    /// How they will sign in.
    pub email: Email,
    /// What others will see.
    pub name: UserName,
    /// Password that they will sign in with.
    pub password: NewPassword,
    /// Where their picture is found.
    pub avatar: Option<AvatarUrl>,
    /// What they may do.
    pub role: Role,
}

impl Application {
    /// Registers a user, opens their account and pays the sign-up grant into it, all or nothing.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `EmailTaken`; [`AppError::Password`]; those of the money writer.
    pub async fn register_user(&self, registration: Registration) -> Result<(User, Registered), AppError> {
        if registration.email.is_of_erased() {
            return Err(DomainError::EmailTaken.into());
        }
        let password = self.ports.passwords.hash(registration.password.into_secret()).await?;
        let now = self.now();
        let user = User {
            id: self.next_user_id(),
            email: registration.email,
            name: registration.name,
            avatar: registration.avatar,
            role: registration.role,
            status: UserStatus::Active,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let command = Command::Register(Box::new(Register {
            user: user.clone(),
            password,
            account_id: AccountId::from_u128(self.ports.ids.next_id()),
            grant: self.settings.signup_grant,
        }));
        let principal = Principal::Process(Actor { user_id: user.id, role: user.role });
        let receipt = self.writer.submit_once(principal, REGISTRATION_KEY.to_owned(), command).await?;
        match receipt.result? {
            Outcome::Registered(registered) => Ok((user, registered)),
            _ => Err(AppError::Internal("a registration came to another outcome")),
        }
    }

    /// Whether anybody is registered yet.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn has_users(&self) -> Result<bool, AppError> {
        Ok(self.ports.users.has_users().await?)
    }
}
