//! Changes the public profile of a user.

use foretell_domain::user::{ProfileChange, User, UserError};
use foretell_ports::unit::{Locked, Tx};
use foretell_ports::user::Credentials;

use super::Identity;
use crate::caller::Caller;
use crate::error::AppError;
use crate::expected_version::ExpectedVersion;

impl Identity {
    /// Changes the caller's own profile, and returns the updated user.
    ///
    /// # Errors
    /// [`AppError::Unauthorized`] if they were erased meanwhile, [`AppError::Stale`] if the user
    /// has another version than expected, [`AppError::Store`].
    pub async fn change_profile(
        &self,
        caller: &Caller,
        change: ProfileChange,
        expected: ExpectedVersion,
    ) -> Result<User, AppError> {
        let (id, now) = (caller.user.id, self.context.now());
        let lock = move |tx: &mut dyn Tx| tx.lock_user(id);
        let work = move |tx: &mut dyn Tx, _, locked: Option<Locked<Credentials>>| {
            let mut locked = locked.ok_or(UserError::NotFound(id))?;
            expected.check(locked.user.version)?;
            let changed = locked.user.with_profile(change.clone(), now);
            if changed != locked.user {
                locked.user = changed.clone();
                tx.save_user(&locked, now)?;
            }
            Ok(changed)
        };
        let changed = self.context.run_as_after(caller, "change_profile", lock, work).await;
        // Also after an error: the commit may have succeeded although its response was lost.
        self.context.forget_user(id);
        changed
    }
}
