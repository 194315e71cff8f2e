//! Ends sessions.

use foretell_domain::error::DomainError;
use foretell_domain::id::SessionId;

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
        let work = move |tx: &mut dyn foretell_ports::unit::Tx| tx.delete_session(user, session);
        let was_there = self.ports.units.run("log_out", work).await;
        // Whatever became of it: a commit may be done although its answer was lost.
        self.sessions.forget_user(user, self.now());
        Ok(was_there?)
    }
}
