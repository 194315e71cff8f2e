//! Ends sessions.

use std::net::IpAddr;

use foretell_domain::id::SessionId;
use foretell_ports::unit::Tx;

use super::Identity;
use crate::caller::Caller;
use crate::client_network::network_of;
use crate::error::AppError;

impl Identity {
    /// Ends one of the caller's own sessions. Returns `true` if it existed. It requires a session.
    /// Ending another session than the current one also removes all known networks except the
    /// current one.
    ///
    /// # Errors
    /// [`AppError::Refused`] with `SessionsOnly`, [`AppError::Store`].
    pub async fn log_out(
        &self,
        caller: &Caller,
        session: SessionId,
        from: IpAddr,
    ) -> Result<bool, AppError> {
        let is_other = caller.session()? != session;
        let network = network_of(from);
        let user = caller.user.id;
        let lock = move |tx: &mut dyn Tx| tx.lock_user(user).map(drop);
        let work = move |tx: &mut dyn Tx, _, ()| {
            let was_there = tx.delete_session(user, session)?;
            if was_there && is_other {
                tx.delete_known_networks_of(user, Some(network))?;
            }
            Ok(was_there)
        };
        let was_there = self.context.run_as_after(caller, "log_out", lock, work).await;
        // Also after an error: the commit may have succeeded although its response was lost.
        self.context.forget_user(user);
        was_there
    }
}
