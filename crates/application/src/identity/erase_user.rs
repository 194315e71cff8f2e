//! Erases users: their personal data is deleted, their transactions are kept.

use foretell_domain::id::UserId;
use foretell_domain::policy;
use foretell_ports::secret::PasswordHash;
use foretell_ports::unit::{Locked, Tx};
use foretell_ports::user::Credentials;

use super::Identity;
use super::confirm_password::PasswordConfirmation;
use crate::caller::Caller;
use crate::error::AppError;

impl Identity {
    /// Erases the caller, who must name their own id and present a session and the password: name,
    /// picture, email address and password are deleted, and so are all sessions, known networks and
    /// keys. The account is closed; it, its transfers, bets and markets are kept under the user's
    /// id; open markets are left to the moderators. The last active admin cannot be erased.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `NotTheUser`, `SessionsOnly` or `LastAdmin`;
    /// [`AppError::WrongPassword`], [`AppError::TooManyAttempts`], [`AppError::Unauthorized`],
    /// [`AppError::Password`], [`AppError::Store`].
    pub async fn erase_user(
        &self,
        caller: &Caller,
        id: UserId,
        confirmation: PasswordConfirmation,
    ) -> Result<(), AppError> {
        caller.session()?;
        // The caller's id does not change, so this check needs no lock.
        policy::may_dispose_of_user(caller.actor(), id)?;
        let confirmed = self.confirm_password(caller, confirmation).await?;
        let now = self.context.now();
        // The same key as at the registration, so that the address gets no second grant.
        let hasher = self.email_hasher.clone();
        let lock = move |tx: &mut dyn Tx| tx.lock_user_and_admins(id);
        let work = move |tx: &mut dyn Tx, _, mut locked: Vec<Locked<Credentials>>| {
            let active_admins =
                locked.iter().filter(|locked| locked.user.is_active_admin()).count();
            let found =
                locked.iter_mut().find(|found| found.user.id == id && confirmed.is_of(found));
            let found = found.ok_or(AppError::WrongPassword)?;
            let email = hasher.hash(&found.user.email);
            // Users who registered before grants were recorded are recorded here.
            tx.record_grant_once(email, now)?;
            found.user = found.user.erased(active_admins, now)?;
            found.password = PasswordHash::of_nothing();
            tx.save_user(found, now)?;
            let mut accounts = tx.lock_accounts_of(id)?;
            for account in &mut accounts {
                **account = account.close();
            }
            tx.save_accounts(&accounts.iter().collect::<Vec<_>>())?;
            tx.delete_sessions_of(id, None)?;
            tx.delete_known_networks_of(id, None)?;
            tx.delete_api_keys_of(id)?;
            tx.delete_content_of(id)?;
            Ok(())
        };
        let erased = self.context.run_as_after(caller, "erase_user", lock, work).await;
        // Also after an error: the commit may have succeeded although its response was lost.
        self.context.forget_user(id);
        self.post_totals.forget();
        erased
    }
}
