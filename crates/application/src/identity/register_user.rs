//! Registers users, with an account and the sign-up grant.

use foretell_domain::error::DomainError;
use foretell_domain::id::{AccountId, UserId};
use foretell_domain::text::{AvatarUrl, Email, UserName};
use foretell_domain::user::{Role, User, UserStatus};
use foretell_ports::secret::NewPassword;

use super::Identity;
use crate::error::AppError;
use crate::principal::Principal;
use crate::writer::{Register, Registered, SignupGrant};

/// Idempotency key of a registration; each has its own user. It contains a space, which no key of a
/// client has, so that the user can choose any key.
const REGISTRATION_KEY: &str = "the registration";

/// Data of a registration.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Email address for signing in.
    pub email: Email,
    /// Public name.
    pub name: UserName,
    /// Password for signing in.
    pub password: NewPassword,
    /// URL of the picture.
    pub avatar: Option<AvatarUrl>,
    /// Role.
    pub role: Role,
}

impl Identity {
    /// Registers a user, opens their account and pays the sign-up grant into it, all or nothing. An
    /// email address that has received a grant before, for a user who was erased, gets none.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `EmailTaken`; [`AppError::Password`]; the errors of the money
    /// writer.
    pub async fn register_user(
        &self,
        registration: Registration,
    ) -> Result<(User, Registered), AppError> {
        if registration.email.is_of_erased() {
            return Err(DomainError::EmailTaken.into());
        }
        let password = self.passwords.hash(registration.password.into_secret()).await?;
        let now = self.context.now();
        let user = User {
            id: UserId::from_u128(self.context.next_id()),
            email: registration.email,
            name: registration.name,
            avatar: registration.avatar,
            role: registration.role,
            status: UserStatus::Active,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let email = self.email_hasher.hash(&user.email);
        let grant = self.signup_grant.map(|amount| SignupGrant { amount, email });
        let command = Register {
            user: user.clone(),
            password,
            account_id: AccountId::from_u128(self.context.next_id()),
            grant,
        };
        let principal = Principal::NewUser(user.id);
        let receipt = self
            .context
            .writer
            .submit_once(principal, REGISTRATION_KEY.to_owned(), command)
            .await?;
        Ok((user, receipt.result?))
    }
}
