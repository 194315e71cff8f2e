//! Finds out who presents a session token.

use std::sync::Arc;

use foretell_domain::id::{AccountId, SessionId};
use foretell_domain::policy::Actor;
use foretell_domain::time::Timestamp;
use foretell_domain::user::{User, UserStatus};
use foretell_ports::error::StoreError;
use foretell_ports::secret::{Presented, TokenHash};

use crate::Application;
use crate::session_cache::KnownSession;

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
    pub async fn authenticate(&self, token: &str) -> Result<Option<Arc<Caller>>, StoreError> {
        let Some(Presented::SessionToken(hash)) = self.ports.tokens.recognize(token) else {
            return Ok(None);
        };
        let now = self.now();
        let known = match self.sessions.find(&hash, now) {
            Some(known) => known,
            None => match self.read_session(hash, now).await? {
                Some(read) => read,
                None => return Ok(None),
            },
        };
        Ok((known.expires_at > now).then_some(known.caller))
    }

    /// The session in storage, if its user is active.
    async fn read_session(
        &self,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<KnownSession>, StoreError> {
        let found = self.ports.users.find_session(&hash).await?;
        let Some(found) = found.filter(|found| found.user.status == UserStatus::Active) else {
            return Ok(None);
        };
        let caller = Caller { user: found.user, account_id: found.account_id, session_id: found.session.id };
        let expires_at = found.session.expires_at;
        let known = KnownSession { caller: Arc::new(caller), expires_at, read_at: now };
        self.sessions.remember(hash, known.clone());
        Ok(Some(known))
    }
}
