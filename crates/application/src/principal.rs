//! Principals: those for whom units of work write, with their current roles.

use std::collections::{BTreeSet, HashMap};

use foretell_domain::id::UserId;
use foretell_domain::policy::Actor;
use foretell_domain::time::Timestamp;
use foretell_domain::user::UserStatus;
use foretell_ports::error::StoreError;
use foretell_ports::unit::Tx;
use foretell_ports::user::{CredentialId, CredentialLock, CredentialState};

use crate::caller::Caller;
use crate::error::AppError;

/// The actor for whom a unit of work writes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Principal {
    /// A caller: their permissions are read inside the unit.
    Caller {
        /// The user.
        user_id: UserId,
        /// Credential of the request.
        credential: CredentialId,
    },
    /// A user who is being registered, and has no credential yet.
    NewUser(UserId),
    /// The process itself.
    System,
}

impl Principal {
    /// Returns the user under whose id idempotency keys are stored; `None` for the process itself.
    pub(crate) const fn user_id(self) -> Option<UserId> {
        match self {
            Self::Caller { user_id, .. } | Self::NewUser(user_id) => Some(user_id),
            Self::System => None,
        }
    }

    const fn credential(self) -> Option<CredentialId> {
        match self {
            Self::Caller { credential, .. } => Some(credential),
            Self::NewUser(_) | Self::System => None,
        }
    }
}

impl From<&Caller> for Principal {
    fn from(caller: &Caller) -> Self {
        Self::Caller { user_id: caller.user.id, credential: caller.credential_id() }
    }
}

/// Credentials of a unit of work, with their current state in storage.
#[derive(Debug, Default)]
pub(crate) struct Actors(HashMap<CredentialId, CredentialState>);

impl Actors {
    /// Reads the credentials of these principals that were not read yet.
    pub(crate) fn read(
        &mut self,
        tx: &mut dyn Tx,
        principals: impl Iterator<Item = Principal>,
        lock: CredentialLock,
    ) -> Result<(), StoreError> {
        let wanted = principals.filter_map(Principal::credential);
        let wanted: BTreeSet<_> =
            wanted.filter(|credential| !self.0.contains_key(credential)).collect();
        if !wanted.is_empty() {
            let found = tx.find_credential_states(&wanted, lock)?;
            self.0.extend(found.into_iter().map(|state| (state.credential, state)));
        }
        Ok(())
    }

    /// Returns the actor of a principal: a caller has their current role, and a registration is
    /// done by the process itself.
    ///
    /// # Errors
    /// [`AppError::Unauthorized`] if the credential has expired or was deleted, or the user is not
    /// active.
    pub(crate) fn get(&self, principal: Principal, now: Timestamp) -> Result<Actor, AppError> {
        let credential = match principal {
            Principal::Caller { credential, .. } => credential,
            Principal::NewUser(_) | Principal::System => return Ok(Actor::System),
        };
        let is_live = |state: &&CredentialState| {
            state.status == UserStatus::Active
                && state.expires_at.is_none_or(|expires_at| expires_at > now)
        };
        let state = self.0.get(&credential).filter(is_live).ok_or(AppError::Unauthorized)?;
        Ok(Actor::User { id: state.user_id, role: state.role })
    }
}
