//! Erases users: who they were is forgotten, what they did with money is kept.

use foretell_domain::error::DomainError;
use foretell_domain::id::UserId;
use foretell_domain::policy;
use foretell_domain::user::UserError;
use foretell_ports::secret::PasswordHash;
use foretell_ports::unit::{Locked, Tx};
use foretell_ports::user::Credentials;

use super::authenticate::Caller;
use crate::Application;
use crate::error::AppError;

impl Application {
    /// Erases the caller, who must name themselves and present a session: their name, picture, mail address and
    /// password go, and with them all sessions and keys. Their account is closed; it, their transfers, bets and
    /// markets stay under their id; open markets are left to the moderators. The last active admin stays.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `NotTheUser`, `SessionsOnly` or `LastAdmin`; [`AppError::Store`].
    pub async fn erase_user(&self, caller: &Caller, id: UserId) -> Result<(), AppError> {
        caller.session().map_err(DomainError::Denied)?;
        let now = self.now();
        let lock = move |tx: &mut dyn Tx| tx.lock_user_and_admins(id);
        let work = move |tx: &mut dyn Tx, actor, mut locked: Vec<Locked<Credentials>>| {
            if let Err(denied) = policy::may_dispose_of_user(actor, id) {
                return Ok(Err(DomainError::Denied(denied)));
            }
            let active_admins = locked.iter().filter(|locked| locked.user.is_active_admin()).count();
            let Some(found) = locked.iter_mut().find(|locked| locked.user.id == id) else {
                return Ok(Err(UserError::NotFound(id).into()));
            };
            let erased = match found.user.erased(active_admins, now) {
                Ok(erased) => erased,
                Err(refusal) => return Ok(Err(refusal.into())),
            };
            found.user = erased;
            found.password = PasswordHash::of_nothing();
            tx.save_user(found, now)?;
            let mut accounts = tx.lock_accounts_of(id)?;
            for account in &mut accounts {
                **account = account.close();
            }
            tx.save_accounts(&accounts.iter().collect::<Vec<_>>())?;
            tx.delete_sessions_of(id, None)?;
            tx.delete_api_keys_of(id)?;
            tx.delete_content_of(id)?;
            Ok(Ok(()))
        };
        let erased = self.run_as_after(caller, "erase_user", lock, work).await;
        // Whatever became of it: a commit may be done although its answer was lost.
        self.forget_user(id);
        self.post_totals.forget();
        erased
    }
}
