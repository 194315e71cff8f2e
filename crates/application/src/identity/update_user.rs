//! Changes the role and status of users.

use foretell_domain::id::UserId;
use foretell_domain::policy;
use foretell_domain::user::{User, UserError, UserUpdate};
use foretell_ports::unit::{Locked, Tx};
use foretell_ports::user::Credentials;

use super::Identity;
use crate::caller::Caller;
use crate::error::AppError;
use crate::expected_version::ExpectedVersion;

impl Identity {
    /// Changes the role or status of a user, and returns the updated user. The change applies
    /// immediately to all of their sessions and keys; those of a suspended user are valid again
    /// when the user is reactivated. For admins; at least one active admin always remains.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `AdminsOnly`, `NotFound`, `Erased` or `LastAdmin`;
    /// [`AppError::Stale`] if the user has another version than expected; [`AppError::Store`].
    pub async fn update_user(
        &self,
        caller: &Caller,
        id: UserId,
        update: UserUpdate,
        expected: ExpectedVersion,
    ) -> Result<User, AppError> {
        let now = self.context.now();
        let lock = move |tx: &mut dyn Tx| tx.lock_user_and_admins(id);
        let work = move |tx: &mut dyn Tx, actor, mut locked: Vec<Locked<Credentials>>| {
            policy::may_administer(actor)?;
            let active_admins =
                locked.iter().filter(|locked| locked.user.is_active_admin()).count();
            let found = locked.iter_mut().find(|found| found.user.id == id);
            let found = found.ok_or(UserError::NotFound(id))?;
            let changed = found.user.updated(update, active_admins, now)?;
            expected.check(found.user.version)?;
            if found.user != changed {
                found.user = changed.clone();
                tx.save_user(found, now)?;
            }
            Ok(changed)
        };
        let changed = self.context.run_as_after(caller, "update_user", lock, work).await;
        // Also after an error: the commit may have succeeded although its response was lost.
        self.context.forget_user(id);
        changed
    }
}
