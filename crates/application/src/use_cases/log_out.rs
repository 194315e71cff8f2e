//! Ends sessions.

use foretell_domain::error::DomainError;
use foretell_domain::id::SessionId;
use foretell_ports::unit::Tx;

use super::authenticate::Caller;
use crate::Application;
use crate::error::AppError;

impl Application {
    /// Ends one of the caller's own sessions and says whether it was there. It takes a session.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `SessionsOnly`, [`AppError::Store`].
    pub async fn log_out(&self, caller: &Caller, session: SessionId) -> Result<bool, AppError> {
        caller.session().map_err(DomainError::Denied)?;
        let user = caller.user.id;
        let lock = move |tx: &mut dyn Tx| tx.lock_user(user).map(drop);
        let work = move |tx: &mut dyn Tx, _, ()| tx.delete_session(user, session).map(Ok::<_, AppError>);
        let was_there = self.run_as_after(caller, "log_out", lock, work).await;
        // Whatever became of it: a commit may be done although its answer was lost.
        self.forget_user(user);
        was_there
    }
}
