//! Confirms a signed-in user's password, before changes that a stolen session alone must not make.

use std::net::IpAddr;

use foretell_ports::secret::{PasswordHash, Verification};
use foretell_ports::user::Credentials;
use secrecy::SecretString;

use super::Identity;
use crate::caller::Caller;
use crate::error::AppError;

/// The caller's current password, entered again.
#[derive(Debug)]
pub struct PasswordConfirmation {
    /// The password.
    pub password: SecretString,
    /// IP address of the client, by which wrong passwords are limited.
    pub from: IpAddr,
}

/// Hash of a confirmed password.
#[derive(Debug, Clone)]
pub(crate) struct ConfirmedPassword(PasswordHash);

impl ConfirmedPassword {
    /// Returns `true` if this is still the password of this locked user: it was verified outside of
    /// the unit of work, and another request may have changed it meanwhile.
    pub(crate) fn is_of(&self, user: &Credentials) -> bool {
        user.password == self.0
    }
}

impl Identity {
    /// Verifies a password against the caller's. A wrong one counts like a failed sign-in and is
    /// limited together with these, so that a stolen session does not help to guess the password.
    ///
    /// # Errors
    /// [`AppError::WrongPassword`], [`AppError::TooManyAttempts`], [`AppError::Unauthorized`] if
    /// the user was erased, [`AppError::Password`], [`AppError::Store`].
    pub(crate) async fn confirm_password(
        &self,
        caller: &Caller,
        confirmation: PasswordConfirmation,
    ) -> Result<ConfirmedPassword, AppError> {
        let PasswordConfirmation { password, from } = confirmation;
        let attempt = self.logins.begin(&caller.user.email, from, self.context.now()).await?;
        let confirmed = self.compare_password(caller, password).await;
        attempt.end(&confirmed, self.context.now()).await;
        self.context.forget_if_unauthorized(caller, &confirmed);
        confirmed
    }

    async fn compare_password(
        &self,
        caller: &Caller,
        password: SecretString,
    ) -> Result<ConfirmedPassword, AppError> {
        let found = self.users.find_credentials(&caller.user.email).await?;
        // The email address of an erased user is available again, and may belong to somebody else
        // now.
        let found = found.filter(|found| found.user.id == caller.user.id);
        let hash = found.map(|found| found.password).ok_or(AppError::Unauthorized)?;
        match self.passwords.verify(password, Some(hash.clone())).await? {
            Verification::Mismatch => Err(AppError::WrongPassword),
            Verification::Match | Verification::MatchAndRehash(_) => Ok(ConfirmedPassword(hash)),
        }
    }
}
