//! Registers users, with an account and the sign-up grant.

use foretell_domain::error::DomainError;
use foretell_domain::id::{AccountId, UserId};
use foretell_domain::money::Amount;
use foretell_domain::policy;
use foretell_domain::registration::{Invitation, RegistrationError};
use foretell_domain::text::{AvatarUrl, Email, UserName};
use foretell_domain::user::{Role, User, UserStatus};
use foretell_ports::secret::NewPassword;
use secrecy::{ExposeSecret as _, SecretString};

use super::Identity;
use crate::caller::Caller;
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

/// Data that people register with by themselves.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// Email address for signing in.
    pub email: Email,
    /// Public name.
    pub name: UserName,
    /// Password for signing in.
    pub password: NewPassword,
    /// URL of the picture.
    pub avatar: Option<AvatarUrl>,
    /// Code of an invitation, which decides about role and grant.
    pub invitation: Option<SecretString>,
}

impl Identity {
    /// Registers a user for the process itself, whoever may register: opens their account and pays
    /// the sign-up grant into it, all or nothing. An email address that has received a grant before,
    /// for a user who was erased, gets none.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `EmailTaken`; [`AppError::Password`]; the errors of the money
    /// writer.
    pub async fn register_user(
        &self,
        registration: Registration,
    ) -> Result<(User, Registered), AppError> {
        self.register(None, registration, None).await
    }

    /// Registers somebody who asks for it, if the policy of the server admits them. An invitation is
    /// used in the same unit of work, and stays as it is if the registration fails.
    ///
    /// # Errors
    /// As [`register_user`](Self::register_user), and [`AppError::Refused`] with `Registration`.
    pub async fn sign_up(&self, new: SignUp) -> Result<(User, Registered), AppError> {
        self.registration.admit(&new.email, new.invitation.is_some())?;
        let invitation = match &new.invitation {
            Some(code) => Some(self.find_usable_invitation(code).await?),
            None => None,
        };
        let SignUp { email, name, password, avatar, .. } = new;
        let role = invitation.map_or(Role::User, |invitation| invitation.role);
        let registration = Registration { email, name, password, avatar, role };
        self.register(None, registration, invitation).await
    }

    /// Registers a user for an admin with a session, whoever may register.
    ///
    /// # Errors
    /// As [`register_user`](Self::register_user), and [`AppError::Refused`] with `SessionsOnly` or
    /// `AdminsOnly`; [`AppError::Unauthorized`].
    pub async fn create_user(
        &self,
        caller: &Caller,
        registration: Registration,
    ) -> Result<(User, Registered), AppError> {
        caller.session()?;
        // Before the password is hashed; the money writer checks it again.
        policy::may_administer(caller.actor())?;
        self.register(Some(caller), registration, None).await
    }

    /// Returns the invitation with this code. It is only a first check: the unit of work that uses
    /// the invitation repeats it under a lock.
    async fn find_usable_invitation(&self, code: &SecretString) -> Result<Invitation, AppError> {
        let hash = self.tokens.recognize_code(code.expose_secret());
        let found = match hash {
            Some(hash) => self.users.find_invitation(&hash).await?,
            None => None,
        };
        let invitation = found.ok_or(RegistrationError::InvitationInvalid)?;
        invitation.redeemed(self.context.now())?;
        Ok(invitation)
    }

    async fn register(
        &self,
        caller: Option<&Caller>,
        registration: Registration,
        invitation: Option<Invitation>,
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
        let amount = invitation.and_then(|invitation| invitation.grant).or(self.signup_grant);
        let command = Register {
            user: user.clone(),
            password,
            account_id: AccountId::from_u128(self.context.next_id()),
            grant: self.grant_for(&user, amount),
            invitation: invitation.map(|invitation| invitation.id),
        };
        let receipt = match caller {
            None => {
                let (principal, key) = (Principal::NewUser(user.id), REGISTRATION_KEY.to_owned());
                self.context.writer.submit_once(principal, key, command).await?
            }
            Some(caller) => {
                let key = format!("{REGISTRATION_KEY} of {}", user.id);
                self.context.submit_once(caller, key, command).await?
            }
        };
        Ok((user, receipt.result?))
    }

    fn grant_for(&self, user: &User, amount: Option<Amount>) -> Option<SignupGrant> {
        let email = self.email_hasher.hash(&user.email);
        amount.map(|amount| SignupGrant { amount, email })
    }
}
