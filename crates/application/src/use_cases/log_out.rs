//! Ends sessions.

use foretell_domain::id::SessionId;
use foretell_ports::error::StoreError;

use super::authenticate::Caller;
use crate::Application;

impl Application {
    /// Ends one of the caller's own sessions and says whether it was there.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn log_out(&self, caller: &Caller, session: SessionId) -> Result<bool, StoreError> {
        let user = caller.user.id;
        let work = move |tx: &mut dyn foretell_ports::unit::Tx| tx.delete_session(user, session);
        let was_there = self.ports.units.run("log_out", work).await;
        // Whatever became of it: a commit may be done although its answer was lost.
        self.sessions.forget_user(user, self.now());
        was_there
    }
}
