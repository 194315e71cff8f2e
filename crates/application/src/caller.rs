//! Callers: the authenticated users of requests.

use foretell_domain::id::{AccountId, ApiKeyId, SessionId};
use foretell_domain::policy::{Actor, Denied};
use foretell_domain::scope::Scopes;
use foretell_domain::user::User;
use foretell_ports::user::CredentialId;

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
