//! Parts that all services share: the clock, ids, units of work, and the money writer; and with
//! them authorization inside the unit of work that has the effect.
//!
//! A [`Caller`] may be as old as the session trust allows, so it decides only about reads.
//! Everything that writes for a caller reads their role, status and credential again inside its own
//! unit, through [`Context::run_as`] or the money writer. A test of the sources checks that
//! every use case does.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use foretell_domain::id::{JobId, UserId};
use foretell_domain::job::JobTask;
use foretell_domain::policy::Actor;
use foretell_domain::time::Timestamp;
use foretell_domain::user::UserStatus;
use foretell_ports::error::StoreError;
use foretell_ports::job::NewJob;
use foretell_ports::system::{Clock, IdSource};
use foretell_ports::unit::{Tx, UnitOfWork};
use foretell_ports::user::{CredentialId, CredentialLock, CredentialState};
use foretell_ports::user_changes::UserChanges;

use crate::Caller;
use crate::error::AppError;
use crate::identity::session_cache::SessionCache;
use crate::writer::{MoneyWriter, Receipt, TypedCommand};

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

    /// Returns the actor of a principal: a caller has their current role, and a registration is done
    /// by the process itself.
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

/// Parts that all services share.
pub(crate) struct Context {
    pub(crate) units: Arc<dyn UnitOfWork>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) writer: MoneyWriter,
    pub(crate) sessions: Arc<SessionCache>,
    pub(crate) user_changes: Arc<dyn UserChanges>,
    /// `true` if there is a model, so that texts are embedded.
    pub(crate) has_model: bool,
}

impl Context {
    /// Returns the current time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns a new id.
    pub(crate) fn next_id(&self) -> u128 {
        self.ids.next_id()
    }

    /// Creates a job that is due now.
    pub(crate) fn new_job(&self, task: JobTask, once: Option<String>) -> NewJob {
        let (id, now) = (JobId::from_u128(self.next_id()), self.now());
        NewJob { id, task, run_at: now, once, created_at: now }
    }

    /// Creates the job that embeds a text, if there is a model.
    pub(crate) fn embedding_job(&self, task: JobTask) -> Option<NewJob> {
        self.has_model.then(|| self.new_job(task, None))
    }

    /// Runs a unit of work for a caller. It first locks the caller's role and status: `work`
    /// receives the current actor, and nothing changes that until the unit ends. An error of `work`
    /// discards its changes.
    ///
    /// # Errors
    /// [`AppError::Unauthorized`] if the caller's credential has ended or they are suspended; the
    /// errors of `work`; [`AppError::Store`].
    pub(crate) async fn run_as<T: Send + 'static>(
        &self,
        caller: &Caller,
        name: &'static str,
        mut work: impl FnMut(&mut dyn Tx, Actor) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        let work = move |tx: &mut dyn Tx, actor, ()| work(tx, actor);
        self.authorize_and_run(caller, name, CredentialLock::Shared, |_| Ok(()), work).await
    }

    /// Runs a unit like [`run_as`](Self::run_as), one at a time for each caller, so that `work` can
    /// count the actor's resources.
    ///
    /// # Errors
    /// The errors of [`run_as`](Self::run_as).
    pub(crate) async fn run_as_only<T: Send + 'static>(
        &self,
        caller: &Caller,
        name: &'static str,
        mut work: impl FnMut(&mut dyn Tx, Actor) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        let work = move |tx: &mut dyn Tx, actor, ()| work(tx, actor);
        self.authorize_and_run(caller, name, CredentialLock::Exclusive, |_| Ok(()), work).await
    }

    /// Runs a unit that changes users: `lock` takes the exclusive locks on them before the caller
    /// is read.
    ///
    /// # Errors
    /// The errors of [`run_as`](Self::run_as).
    pub(crate) async fn run_as_after<L, T: Send + 'static>(
        &self,
        caller: &Caller,
        name: &'static str,
        lock: impl FnMut(&mut dyn Tx) -> Result<L, StoreError> + Send + 'static,
        work: impl FnMut(&mut dyn Tx, Actor, L) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        self.authorize_and_run(caller, name, CredentialLock::None, lock, work).await
    }

    async fn authorize_and_run<L, T: Send + 'static>(
        &self,
        caller: &Caller,
        name: &'static str,
        credential_lock: CredentialLock,
        mut lock: impl FnMut(&mut dyn Tx) -> Result<L, StoreError> + Send + 'static,
        mut work: impl FnMut(&mut dyn Tx, Actor, L) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        let (principal, clock) = (Principal::from(caller), Arc::clone(&self.clock));
        let authorized = move |tx: &mut dyn Tx| {
            let locked = lock(tx)?;
            let mut actors = Actors::default();
            actors.read(tx, std::iter::once(principal), credential_lock)?;
            let actor = actors.get(principal, clock.now())?;
            work(tx, actor, locked)
        };
        let result = self.units.try_run(name, authorized).await;
        self.forget_if_unauthorized(caller, &result);
        result
    }

    /// Sends a caller's command to the money writer, which authorizes it in the unit of work that
    /// executes it.
    ///
    /// # Errors
    /// The errors of the money writer.
    pub(crate) async fn submit_once<C: TypedCommand>(
        &self,
        caller: &Caller,
        key: String,
        command: C,
    ) -> Result<Receipt<C::Output>, AppError> {
        let receipt = self.writer.submit_once(caller, key, command).await;
        self.forget_if_unauthorized(caller, &receipt);
        receipt
    }

    /// Removes a caller from the cache if a unit of work found them unauthorized.
    pub(crate) fn forget_if_unauthorized<T>(&self, caller: &Caller, result: &Result<T, AppError>) {
        if matches!(result, Err(AppError::Unauthorized)) {
            self.sessions.forget_user(caller.user.id, self.now());
        }
    }

    /// Removes a user's sessions and keys from the cache, here and on other nodes. Call it after a
    /// change is stored, and also if the commit failed: it may have succeeded although the response
    /// was lost.
    pub(crate) fn forget_user(&self, user: UserId) {
        self.sessions.forget_user(user, self.now());
        self.user_changes.announce(user);
    }
}
