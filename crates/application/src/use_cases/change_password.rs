//! Changes passwords, and ends the sessions that the old one began.

use std::net::IpAddr;

use foretell_domain::error::DomainError;
use foretell_ports::secret::{NewPassword, PasswordHash, Verification};
use foretell_ports::unit::{Locked, Tx};
use foretell_ports::user::Credentials;
use secrecy::SecretString;

use super::authenticate::Caller;
use crate::Application;
use crate::error::AppError;

/// What a user says to have another password.
#[derive(Debug)]
pub struct PasswordChange {
    /// The one that they have.
    pub current: SecretString,
    /// The one that they want.
    pub new: NewPassword,
    /// The address that they come from.
    pub from: IpAddr,
}

impl Application {
    /// Replaces the caller's password and ends all of their sessions but the one that they present; says how
    /// many there were. Their API keys stay. Wrong passwords are limited together with those of signing in.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `SessionsOnly`, [`AppError::TooManyAttempts`], [`AppError::WrongPassword`],
    /// [`AppError::Password`], [`AppError::Store`].
    pub async fn change_password(&self, caller: &Caller, change: PasswordChange) -> Result<usize, AppError> {
        let kept = caller.session().map_err(DomainError::Denied)?;
        let verified = self.verify_password(caller, change.from, change.current).await?;
        let new = self.ports.passwords.hash(change.new.into_secret()).await?;
        let (user, now) = (caller.user.id, self.now());
        let lock = move |tx: &mut dyn Tx| tx.lock_user(user);
        let work = move |tx: &mut dyn Tx, _, locked: Option<Locked<Credentials>>| {
            // Whoever was faster has changed it: the one that was verified is current no more.
            let Some(mut locked) = locked.filter(|locked| locked.password == verified) else {
                return Ok(Err(AppError::WrongPassword));
            };
            locked.password = new.clone();
            tx.save_user(&locked, now)?;
            tx.delete_sessions_of(user, Some(kept)).map(Ok)
        };
        let ended = self.run_as_after(caller, "change_password", lock, work).await;
        // Whatever became of it: a commit may be done although its answer was lost.
        self.forget_user(user);
        ended
    }

    /// The stored hash of the caller's password, if this is it.
    async fn verify_password(
        &self,
        caller: &Caller,
        from: IpAddr,
        password: SecretString,
    ) -> Result<PasswordHash, AppError> {
        let email = &caller.user.email;
        let attempt = self.logins.begin(email, from, self.now())?;
        let verified = self.compare_password(caller, password).await;
        match verified {
            Ok(_) => attempt.succeed(),
            // Dropped, it counts.
            Err(AppError::WrongPassword) => drop(attempt),
            Err(_) => attempt.forgive(),
        }
        verified
    }

    async fn compare_password(
        &self,
        caller: &Caller,
        password: SecretString,
    ) -> Result<PasswordHash, AppError> {
        let found = self.ports.users.find_credentials(&caller.user.email).await?;
        let hash = found.map(|found| found.password).ok_or(AppError::WrongPassword)?;
        match self.ports.passwords.verify(password, Some(hash.clone())).await? {
            Verification::Mismatch => Err(AppError::WrongPassword),
            Verification::Match | Verification::MatchAndRehash(_) => Ok(hash),
        }
    }
}
