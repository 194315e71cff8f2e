//! Changes passwords, and ends the sessions that the old one began.

use foretell_domain::error::DomainError;
use foretell_ports::secret::NewPassword;
use foretell_ports::unit::{Locked, Tx};
use foretell_ports::user::Credentials;

use super::authenticate::Caller;
use super::confirm_password::PasswordConfirmation;
use crate::Application;
use crate::client_network::network_of;
use crate::error::AppError;

/// A user's request for another password.
#[derive(Debug)]
pub struct PasswordChange {
    /// The present password.
    pub current: PasswordConfirmation,
    /// The next password.
    pub new: NewPassword,
    /// Also deletes the user's API keys.
    pub revoke_api_keys: bool,
}

/// Credentials that ended with a change of the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedCredentials {
    /// Sessions, all but the one that was presented.
    pub sessions: usize,
    /// API keys; none unless they were to be revoked.
    pub api_keys: usize,
}

impl Application {
    /// Replaces the caller's password and ends all of their sessions but the one that they present, and their API
    /// keys if they ask for it. Only the network that they come from stays known. Wrong passwords are limited
    /// together with those of signing in.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `SessionsOnly`, [`AppError::TooManyAttempts`], [`AppError::WrongPassword`],
    /// [`AppError::Unauthorized`], [`AppError::Password`], [`AppError::Store`].
    pub async fn change_password(
        &self,
        caller: &Caller,
        change: PasswordChange,
    ) -> Result<EndedCredentials, AppError> {
        let kept = caller.session().map_err(DomainError::Denied)?;
        let PasswordChange { current, new, revoke_api_keys } = change;
        let network = network_of(current.from);
        let confirmed = self.confirm_password(caller, current).await?;
        let new = self.ports.passwords.hash(new.into_secret()).await?;
        let (user, now) = (caller.user.id, self.now());
        let lock = move |tx: &mut dyn Tx| tx.lock_user(user);
        let work = move |tx: &mut dyn Tx, _, locked: Option<Locked<Credentials>>| {
            let Some(mut locked) = locked.filter(|locked| confirmed.is_of(locked)) else {
                return Ok(Err(AppError::WrongPassword));
            };
            locked.password = new.clone();
            tx.save_user(&locked, now)?;
            let sessions = tx.delete_sessions_of(user, Some(kept))?;
            tx.delete_known_networks_of(user, Some(network))?;
            let api_keys = if revoke_api_keys { tx.delete_api_keys_of(user)? } else { 0 };
            Ok(Ok(EndedCredentials { sessions, api_keys }))
        };
        let ended = self.run_as_after(caller, "change_password", lock, work).await;
        // Whatever became of it: a commit may be done although its answer was lost.
        self.forget_user(user);
        ended
    }
}
