//! Changes what others see of a user.

use foretell_domain::error::DomainError;
use foretell_domain::user::{ProfileChange, User, UserError, UserStatus};
use foretell_ports::unit::Tx;

use super::authenticate::Caller;
use crate::Application;
use crate::error::AppError;

impl Application {
    /// Changes the caller's own profile, and returns the user as they are then.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `Erased` if they are gone meanwhile, [`AppError::Store`].
    pub async fn change_profile(&self, caller: &Caller, change: ProfileChange) -> Result<User, AppError> {
        let (id, now) = (caller.user.id, self.now());
        let work = move |tx: &mut dyn Tx| {
            let Some(mut locked) = tx.lock_user(id)? else { return Ok(Err(UserError::NotFound(id))) };
            if locked.user.status == UserStatus::Erased {
                return Ok(Err(UserError::Erased(id)));
            }
            let changed = locked.user.with_profile(change.clone());
            if changed != locked.user {
                locked.user = changed.clone();
                tx.save_user(&locked, now)?;
            }
            Ok(Ok(changed))
        };
        let changed = self.ports.units.run("change_profile", work).await;
        // Whatever became of it: a commit may be done although its answer was lost.
        self.sessions.forget_user(id, self.now());
        Ok(changed?.map_err(DomainError::User)?)
    }
}
