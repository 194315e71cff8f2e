//! Changes the role and status of users.

use foretell_domain::error::DomainError;
use foretell_domain::id::UserId;
use foretell_domain::policy::{self, Actor};
use foretell_domain::time::Timestamp;
use foretell_domain::user::{User, UserError, UserUpdate};
use foretell_ports::unit::{Locked, Tx};
use foretell_ports::user::Credentials;

use super::authenticate::Caller;
use crate::Application;
use crate::error::AppError;
use crate::expected_version::ExpectedVersion;

impl Application {
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
        let now = self.now();
        let lock = move |tx: &mut dyn Tx| tx.lock_user_and_admins(id);
        let work = move |tx: &mut dyn Tx, actor, mut locked: Vec<Locked<Credentials>>| {
            let changed = match updated(&locked, actor, id, (update, now)) {
                Ok(changed) => changed,
                Err(refusal) => return Ok(Err(refusal.into())),
            };
            let found = locked.iter_mut().find(|found| found.user.id == id);
            let Some(found) = found else { return Ok(Ok(changed)) };
            if let Err(stale) = expected.check(found.user.version) {
                return Ok(Err(stale));
            }
            if found.user != changed {
                found.user = changed.clone();
                tx.save_user(found, now)?;
            }
            Ok(Ok(changed))
        };
        let changed = self.run_as_after(caller, "update_user", lock, work).await;
        // Also after an error: the commit may have succeeded although its response was lost.
        self.forget_user(id);
        changed
    }
}

/// Returns the updated user, from the locked rows of the user and of all active admins.
fn updated(
    locked: &[Locked<Credentials>],
    actor: Actor,
    id: UserId,
    (update, now): (UserUpdate, Timestamp),
) -> Result<User, DomainError> {
    let admins: Vec<_> = locked.iter().filter(|locked| locked.user.is_active_admin()).collect();
    policy::may_administer(actor)?;
    let found = locked.iter().find(|found| found.user.id == id).ok_or(UserError::NotFound(id))?;
    Ok(found.user.updated(update, admins.len(), now)?)
}
