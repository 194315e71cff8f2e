//! Confirms a signed-in user's password, before changes that a stolen session alone must not make.

use std::net::IpAddr;

use foretell_ports::secret::{PasswordHash, Verification};
use foretell_ports::user::Credentials;
use secrecy::SecretString;

use super::authenticate::Caller;
use crate::Application;
use crate::error::AppError;

/// The caller's present password, typed once more.
#[derive(Debug)]
pub struct PasswordConfirmation {
    /// The password.
    pub password: SecretString,
    /// The address of the client, by which wrong passwords are limited.
    pub from: IpAddr,
}

/// The hash of a password that was confirmed.
#[derive(Debug, Clone)]
pub(crate) struct ConfirmedPassword(PasswordHash);

impl ConfirmedPassword {
    /// Whether the password is still that of this user, who is locked: it was compared outside of the unit of work,
    /// and another request may have changed it meanwhile.
    pub(crate) fn is_of(&self, user: &Credentials) -> bool {
        user.password == self.0
    }
}

impl Application {
    /// Compares a password with the caller's. A wrong one counts like a failed sign-in and is limited together with
    /// these, so that a stolen session is no way to guess the password.
    ///
    /// # Errors
    /// [`AppError::WrongPassword`], [`AppError::TooManyAttempts`], [`AppError::Unauthorized`] if the user is gone,
    /// [`AppError::Password`], [`AppError::Store`].
    pub(crate) async fn confirm_password(
        &self,
        caller: &Caller,
        confirmation: PasswordConfirmation,
    ) -> Result<ConfirmedPassword, AppError> {
        let PasswordConfirmation { password, from } = confirmation;
        let attempt = self.logins.begin(&caller.user.email, from, self.now()).await?;
        let confirmed = self.compare_password(caller, password).await;
        attempt.end(&confirmed, self.now()).await;
        self.forget_if_unauthorized(caller, &confirmed);
        confirmed
    }

    async fn compare_password(
        &self,
        caller: &Caller,
        password: SecretString,
    ) -> Result<ConfirmedPassword, AppError> {
        let found = self.ports.users.find_credentials(&caller.user.email).await?;
        // The address of an erased user is free, and may be somebody else's by now.
        let found = found.filter(|found| found.user.id == caller.user.id);
        let hash = found.map(|found| found.password).ok_or(AppError::Unauthorized)?;
        match self.ports.passwords.verify(password, Some(hash.clone())).await? {
            Verification::Mismatch => Err(AppError::WrongPassword),
            Verification::Match | Verification::MatchAndRehash(_) => Ok(ConfirmedPassword(hash)),
        }
    }
}
