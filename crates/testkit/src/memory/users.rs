//! Users and sessions in memory.

use std::collections::BTreeSet;
use std::ops::Bound;

use async_trait::async_trait;
use foretell_domain::id::{AccountId, SessionId, UserId};
use foretell_domain::text::Email;
use foretell_domain::time::Timestamp;
use foretell_domain::user::{User, UserStatus};
use foretell_ports::error::StoreError;
use foretell_ports::page::PageRequest;
use foretell_ports::secret::{PasswordHash, TokenHash};
use foretell_ports::unit::Locked;
use foretell_ports::user::{
    CredentialId, CredentialLock, CredentialState, Credentials, Session, SessionDetails,
    UserQueries, UserTx,
};

use super::tables::Tables;
use super::tx::MemoryTx;
use super::{MemoryStore, count, cut_page};

impl UserTx for MemoryTx<'_> {
    fn find_credential_states(
        &mut self,
        credentials: &BTreeSet<CredentialId>,
        lock: CredentialLock,
    ) -> Result<Vec<CredentialState>, StoreError> {
        self.step(|tables, locked| {
            let states =
                credentials.iter().filter_map(|credential| credential_state(tables, *credential));
            let states: Vec<_> = states.collect();
            if lock == CredentialLock::Exclusive {
                locked.users.extend(states.iter().map(|state| state.user_id));
            }
            Ok(states)
        })
    }

    fn insert_user_once(
        &mut self,
        user: &User,
        password: &PasswordHash,
    ) -> Result<bool, StoreError> {
        self.step(|tables, _| {
            if tables.users_by_email.get(&user.email).is_some() {
                return Ok(false);
            }
            tables.users_by_email.insert(user.email.clone(), user.id)?;
            tables
                .users
                .insert(user.id, Credentials { user: user.clone(), password: password.clone() })?;
            Ok(true)
        })
    }

    fn lock_user(&mut self, id: UserId) -> Result<Option<Locked<Credentials>>, StoreError> {
        self.step(|tables, locked| {
            let found = tables.users.get(&id).cloned();
            locked.users.extend(found.as_ref().map(|found| found.user.id));
            Ok(found.map(Locked::assume))
        })
    }

    fn lock_user_and_admins(&mut self, id: UserId) -> Result<Vec<Locked<Credentials>>, StoreError> {
        self.step(|tables, locked| {
            let rows = tables.users.range(..).map(|(_, row)| row);
            let wanted: Vec<_> = rows
                .filter(|row| row.user.id == id || row.user.is_active_admin())
                .cloned()
                .collect();
            locked.users.extend(wanted.iter().map(|row| row.user.id));
            Ok(wanted.into_iter().map(Locked::assume).collect())
        })
    }

    fn save_user(&mut self, user: &Locked<Credentials>, _: Timestamp) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            let (id, email) = (user.user.id, &user.user.email);
            locked.check_user(id)?;
            let before = tables.users.require(&id)?.user.clone();
            if before.email != *email {
                tables.users_by_email.insert(email.clone(), id)?;
                tables.users_by_email.remove(before.email);
            }
            let saved = User { id, created_at: before.created_at, ..user.user.clone() };
            tables.users.put(id, Credentials { user: saved, password: user.password.clone() });
            Ok(())
        })
    }

    fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        self.step(|tables, _| {
            tables.users.require(&session.user_id)?;
            tables.sessions_by_token.insert(session.token_hash, session.id)?;
            tables.sessions.insert(session.id, *session)
        })
    }

    fn delete_session(&mut self, user: UserId, session: SessionId) -> Result<bool, StoreError> {
        self.step(|tables, _| {
            let stored =
                tables.sessions.get(&session).filter(|session| session.user_id == user).copied();
            if let Some(stored) = stored {
                tables.sessions_by_token.remove(stored.token_hash);
                tables.sessions.remove(stored.id);
            }
            Ok(stored.is_some())
        })
    }

    fn delete_sessions_of(
        &mut self,
        user: UserId,
        kept: Option<SessionId>,
    ) -> Result<usize, StoreError> {
        self.step(|tables, _| {
            let of_user = |session: &&Session| session.user_id == user && Some(session.id) != kept;
            let rows = tables.sessions.range(..).map(|(_, session)| session);
            let ended: Vec<Session> = rows.filter(of_user).copied().collect();
            for session in &ended {
                tables.sessions_by_token.remove(session.token_hash);
                tables.sessions.remove(session.id);
            }
            Ok(ended.len())
        })
    }

    fn end_oldest_sessions(
        &mut self,
        user: &Locked<Credentials>,
        ending_after: Timestamp,
        kept: u32,
    ) -> Result<usize, StoreError> {
        let user = user.user.id;
        self.step(|tables, locked| {
            locked.check_user(user)?;
            let rows = tables.sessions.range(..).map(|(_, session)| *session);
            let mut live: Vec<Session> = rows
                .filter(|session| session.user_id == user && session.expires_at > ending_after)
                .collect();
            live.sort_unstable_by_key(|session| std::cmp::Reverse(session.id));
            let ended = live.get(kept as usize..).unwrap_or_default();
            for session in ended {
                tables.sessions_by_token.remove(session.token_hash);
                tables.sessions.remove(session.id);
            }
            Ok(ended.len())
        })
    }

    fn purge_sessions(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.step(|tables, _| {
            let rows = tables.sessions.range(..).map(|(_, session)| *session);
            let mut ended: Vec<Session> =
                rows.filter(|session| session.expires_at < before).collect();
            ended.sort_unstable_by_key(|session| session.expires_at);
            ended.truncate(limit as usize);
            for session in &ended {
                tables.sessions_by_token.remove(session.token_hash);
                tables.sessions.remove(session.id);
            }
            Ok(ended.len() as u64)
        })
    }
}

/// Returns a credential with the state of its user as the running unit sees them.
fn credential_state(tables: &Tables, credential: CredentialId) -> Option<CredentialState> {
    let (user_id, expires_at) = match credential {
        CredentialId::Session(id) => {
            let session = tables.sessions.get(&id)?;
            (session.user_id, Some(session.expires_at))
        }
        CredentialId::ApiKey(id) => {
            let key = tables.api_keys.get(&id)?;
            (key.user_id, key.expires_at)
        }
        CredentialId::User(id) => (id, None),
    };
    let user = &tables.users.get(&user_id)?.user;
    Some(CredentialState { credential, user_id, role: user.role, status: user.status, expires_at })
}

/// Returns the accounts of a user, oldest first.
pub(super) fn accounts_of(tables: &Tables, owner: UserId) -> impl Iterator<Item = AccountId> {
    let first = (owner, Timestamp::from_micros(i64::MIN), AccountId::from_u128(0));
    let last = (owner, Timestamp::from_micros(i64::MAX), AccountId::from_u128(u128::MAX));
    let range = (Bound::Included(first), Bound::Included(last));
    tables.accounts_by_owner.committed().range(range).map(|((_, _, account), ())| *account)
}

/// Returns the users who are not erased, newest first.
fn present_users(tables: &Tables) -> impl Iterator<Item = &User> {
    let users = tables.users.committed().values().rev().map(|row| &row.user);
    users.filter(|user| user.status != UserStatus::Erased)
}

/// Returns the sessions of a user that end after a time, newest first.
fn live_sessions(
    tables: &Tables,
    user: UserId,
    ending_after: Timestamp,
) -> impl Iterator<Item = Session> {
    let sessions = tables.sessions.committed().values().rev().copied();
    sessions.filter(move |session| session.user_id == user && session.expires_at > ending_after)
}

fn session_details(tables: &Tables, token: &TokenHash) -> Option<SessionDetails> {
    let id = tables.sessions_by_token.committed().get(token)?;
    let session = *tables.sessions.committed().get(id)?;
    let user = tables.users.committed().get(&session.user_id)?.user.clone();
    let account_id = accounts_of(tables, user.id).next()?;
    Some(SessionDetails { session, user, account_id })
}

#[async_trait]
impl UserQueries for MemoryStore {
    async fn find_credentials(&self, email: &Email) -> Result<Option<Credentials>, StoreError> {
        let tables = self.read()?;
        let id = tables.users_by_email.committed().get(email);
        Ok(id.and_then(|id| tables.users.committed().get(id)).cloned())
    }

    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.read()?.users.committed().get(&id).map(|row| row.user.clone()))
    }

    async fn list_users(&self, page: PageRequest<UserId>) -> Result<Vec<User>, StoreError> {
        let tables = self.read()?;
        Ok(cut_page(present_users(&tables).cloned().collect(), page, |user, last| user.id < last))
    }

    async fn count_users(&self) -> Result<i64, StoreError> {
        Ok(count(present_users(&*self.read()?).count()))
    }

    async fn find_users(&self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        let tables = self.read()?;
        let ids: BTreeSet<_> = ids.iter().collect();
        let rows = ids.into_iter().filter_map(|id| tables.users.committed().get(id));
        Ok(rows.map(|row| row.user.clone()).collect())
    }

    async fn find_session(&self, token: &TokenHash) -> Result<Option<SessionDetails>, StoreError> {
        Ok(session_details(&*self.read()?, token))
    }

    async fn list_sessions(
        &self,
        user: UserId,
        ending_after: Timestamp,
        page: PageRequest<SessionId>,
    ) -> Result<Vec<Session>, StoreError> {
        let tables = self.read()?;
        let sessions = live_sessions(&tables, user, ending_after).collect();
        Ok(cut_page(sessions, page, |session, last| session.id < last))
    }

    async fn count_sessions(
        &self,
        user: UserId,
        ending_after: Timestamp,
    ) -> Result<i64, StoreError> {
        Ok(count(live_sessions(&*self.read()?, user, ending_after).count()))
    }

    async fn has_users(&self) -> Result<bool, StoreError> {
        Ok(!self.read()?.users.committed().is_empty())
    }
}
