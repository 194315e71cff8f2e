//! Changes passwords, and ends the other sessions.

use foretell_ports::secret::NewPassword;
use foretell_ports::unit::{Locked, Tx};
use foretell_ports::user::Credentials;

use super::Identity;
use super::confirm_password::PasswordConfirmation;
use crate::caller::Caller;
use crate::client_network::network_of;
use crate::error::AppError;

/// A user's request to change the password.
#[derive(Debug)]
pub struct PasswordChange {
    /// Current password.
    pub current: PasswordConfirmation,
    /// New password.
    pub new: NewPassword,
    /// `true` to delete the user's API keys as well.
    pub revoke_api_keys: bool,
}

/// Credentials deleted by a change of the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedCredentials {
    /// Number of sessions, all but the current one.
    pub sessions: usize,
    /// Number of API keys; none unless requested.
    pub api_keys: usize,
}

impl Identity {
    /// Replaces the caller's password and ends all of their sessions but the current one, and their
    /// API keys if requested. Only the network of the request stays known. Wrong passwords are
    /// limited together with those of signing in.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `SessionsOnly`, [`AppError::TooManyAttempts`],
    /// [`AppError::WrongPassword`], [`AppError::Unauthorized`], [`AppError::Password`],
    /// [`AppError::Store`].
    pub async fn change_password(
        &self,
        caller: &Caller,
        change: PasswordChange,
    ) -> Result<EndedCredentials, AppError> {
        let kept = caller.session()?;
        let PasswordChange { current, new, revoke_api_keys } = change;
        let network = network_of(current.from);
        let confirmed = self.confirm_password(caller, current).await?;
        let new = self.passwords.hash(new.into_secret()).await?;
        let (user, now) = (caller.user.id, self.context.now());
        let lock = move |tx: &mut dyn Tx| tx.lock_user(user);
        let work = move |tx: &mut dyn Tx, _, locked: Option<Locked<Credentials>>| {
            let locked = locked.filter(|locked| confirmed.is_of(locked));
            let mut locked = locked.ok_or(AppError::WrongPassword)?;
            locked.password = new.clone();
            tx.save_user(&locked, now)?;
            let sessions = tx.delete_sessions_of(user, Some(kept))?;
            tx.delete_known_networks_of(user, Some(network))?;
            let api_keys = if revoke_api_keys { tx.delete_api_keys_of(user)? } else { 0 };
            Ok(EndedCredentials { sessions, api_keys })
        };
        let ended = self.context.run_as_after(caller, "change_password", lock, work).await;
        // Also after an error: the commit may have succeeded although its response was lost.
        self.context.forget_user(user);
        ended
    }
}
