//! Finds out who presents a session token.

use foretell_domain::id::{AccountId, SessionId};
use foretell_domain::policy::Actor;
use foretell_domain::user::{User, UserStatus};
use foretell_ports::error::StoreError;

use crate::Application;

/// Who makes a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user.
    pub user: User,
    /// The account that they trade with.
    pub account_id: AccountId,
    /// The session that they present.
    pub session_id: SessionId,
}

impl Caller {
    /// The caller as policies see them.
    pub const fn actor(&self) -> Actor {
        Actor { user_id: self.user.id, role: self.user.role }
    }
}

impl Application {
    /// The caller behind a token, or `None` if it names no live session of an active user.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn authenticate(&self, token: &str) -> Result<Option<Caller>, StoreError> {
        let Some(hash) = self.ports.tokens.hash(token) else { return Ok(None) };
        let Some(found) = self.ports.users.find_session(&hash).await? else { return Ok(None) };
        if found.session.expires_at <= self.now() || found.user.status != UserStatus::Active {
            return Ok(None);
        }
        let session_id = found.session.id;
        Ok(Some(Caller { user: found.user, account_id: found.account_id, session_id }))
    }
}
