//! Authenticates session tokens and API keys.

use std::net::IpAddr;
use std::sync::Arc;

use foretell_domain::id::{AccountId, ApiKeyId, SessionId};
use foretell_domain::policy::{Actor, Denied};
use foretell_domain::scope::Scopes;
use foretell_domain::time::Timestamp;
use foretell_domain::user::{User, UserStatus};
use foretell_ports::api_key::ApiKey;
use foretell_ports::error::{Chain, StoreError};
use foretell_ports::secret::{Presented, TokenHash};
use foretell_ports::user::CredentialId;

use super::Identity;
use crate::error::AppError;
use crate::identity::session_cache::KnownSession;
use crate::identity::token_guard::Lookup;

/// The authenticated user of a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user.
    pub user: User,
    /// Trading account.
    pub account_id: AccountId,
    /// Credential of the request.
    pub credential: Credential,
}

/// Credential that a client presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// A session, which has all scopes.
    Session(SessionId),
    /// An API key.
    ApiKey {
        /// The key.
        id: ApiKeyId,
        /// Scopes.
        scopes: Scopes,
    },
    /// None: the process itself acts for the user, for instance to create demo data. No request has
    /// it.
    Process,
}

impl Caller {
    /// Returns the actor for policies of reads, as old as the session trust allows. Writes get the
    /// current actor inside their unit of work.
    pub const fn actor(&self) -> Actor {
        Actor::User { id: self.user.id, role: self.user.role }
    }

    /// Returns the scopes of the credential.
    pub const fn scopes(&self) -> Scopes {
        match self.credential {
            Credential::Session(_) | Credential::Process => Scopes::ALL,
            Credential::ApiKey { scopes, .. } => scopes,
        }
    }

    /// Returns the session, for operations that API keys cannot do.
    ///
    /// # Errors
    /// [`Denied::SessionsOnly`] for an API key.
    pub const fn session(&self) -> Result<SessionId, Denied> {
        match self.credential {
            Credential::Session(id) => Ok(id),
            Credential::ApiKey { .. } | Credential::Process => Err(Denied::SessionsOnly),
        }
    }

    /// Returns the credential's identifier, to read it again.
    pub(crate) const fn credential_id(&self) -> CredentialId {
        match self.credential {
            Credential::Session(id) => CredentialId::Session(id),
            Credential::ApiKey { id, .. } => CredentialId::ApiKey(id),
            Credential::Process => CredentialId::User(self.user.id),
        }
    }
}

impl Identity {
    /// Returns the caller behind a token that a client at this address presents, or `None` if it is
    /// not a live session or key of an active user.
    ///
    /// # Errors
    /// [`AppError::TooManyInvalidTokens`], [`AppError::Store`].
    pub async fn authenticate(
        &self,
        token: &str,
        from: IpAddr,
    ) -> Result<Option<Arc<Caller>>, AppError> {
        let Some(presented) = self.tokens.recognize(token) else { return Ok(None) };
        let (Presented::SessionToken(hash) | Presented::ApiKeySecret(hash)) = presented;
        let now = self.context.now();
        let known = match self.context.sessions.find(&hash, now) {
            Some(known) => Some(known),
            None => match self.token_guard.admit(&hash, from, now).await? {
                Lookup::Needless => None,
                Lookup::Allowed(lookup) => {
                    let found = self.look_up(presented, now).await?;
                    if found.is_some() {
                        self.token_guard.prove(hash, lookup, now).await;
                    }
                    found
                }
            },
        };
        Ok(known.filter(|known| known.expires_at > now).map(|known| known.caller))
    }

    /// Reads the session or key of a token, if its user is active.
    async fn look_up(
        &self,
        presented: Presented,
        now: Timestamp,
    ) -> Result<Option<KnownSession>, StoreError> {
        let (hash, read) = match presented {
            Presented::SessionToken(hash) => (hash, self.read_session(hash).await?),
            Presented::ApiKeySecret(hash) => (hash, self.read_key(hash, now).await?),
        };
        let Some((caller, expires_at)) = read else { return Ok(None) };
        let known = KnownSession { caller: Arc::new(caller), expires_at, read_at: now };
        self.context.sessions.remember(hash, known.clone());
        Ok(Some(known))
    }

    async fn read_session(
        &self,
        hash: TokenHash,
    ) -> Result<Option<(Caller, Timestamp)>, StoreError> {
        let found = self.users.find_session(&hash).await?;
        if found.is_none() {
            self.token_guard.remember_unknown(hash);
        }
        Ok(found.filter(|found| found.user.status == UserStatus::Active).map(|found| {
            let credential = Credential::Session(found.session.id);
            let caller = Caller { user: found.user, account_id: found.account_id, credential };
            (caller, found.session.expires_at)
        }))
    }

    async fn read_key(
        &self,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<(Caller, Timestamp)>, StoreError> {
        let found = self.users.find_api_key(&hash).await?;
        if found.is_none() {
            self.token_guard.remember_unknown(hash);
        }
        let Some(found) = found.filter(|found| found.user.status == UserStatus::Active) else {
            return Ok(None);
        };
        let expires_at = found.key.expires_at.unwrap_or(Timestamp::from_micros(i64::MAX));
        if expires_at > now && self.key_uses.is_worth_recording(&found.key, now) {
            self.record_use(&found.key, now);
        }
        let credential = Credential::ApiKey { id: found.key.id, scopes: found.key.scopes };
        Ok(Some((
            Caller { user: found.user, account_id: found.account_id, credential },
            expires_at,
        )))
    }

    /// Records the use of a key in the background; the request does not depend on it.
    fn record_use(&self, key: &ApiKey, now: Timestamp) {
        let (units, id) = (Arc::clone(&self.context.units), key.id);
        tokio::spawn(async move {
            let recorded =
                units.run("record_key_use", move |tx| tx.record_api_key_use(id, now)).await;
            if let Err(error) = recorded {
                tracing::warn!(
                    error = %Chain(&error), key_id = %id,
                    "recording the use of an API key failed"
                );
            }
        });
    }
}
