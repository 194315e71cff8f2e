//! Users and sessions in memory.

use std::collections::BTreeSet;
use std::ops::Bound;

use async_trait::async_trait;
use foretell_domain::id::{AccountId, SessionId, UserId};
use foretell_domain::text::Email;
use foretell_domain::time::Timestamp;
use foretell_domain::user::User;
use foretell_ports::error::StoreError;
use foretell_ports::secret::{PasswordHash, TokenHash};
use foretell_ports::user::{Credentials, Session, SessionDetails, UserQueries, UserTx};

use super::MemoryStore;
use super::tables::{Tables, UserRow};
use super::tx::MemoryTx;

impl UserTx for MemoryTx<'_> {
    fn insert_user_once(&mut self, user: &User, password: &PasswordHash) -> Result<bool, StoreError> {
        self.step(|tables, _| {
            if tables.users_by_email.get(&user.email).is_some() {
                return Ok(false);
            }
            tables.users_by_email.insert(user.email.clone(), user.id)?;
            tables.users.insert(user.id, UserRow { user: user.clone(), password: password.clone() })?;
            Ok(true)
        })
    }

    fn save_password(&mut self, user: UserId, password: &PasswordHash) -> Result<(), StoreError> {
        self.step(|tables, _| {
            let row = UserRow { password: password.clone(), ..tables.users.require(&user)?.clone() };
            tables.users.put(user, row);
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
            let stored = tables.sessions.get(&session).filter(|session| session.user_id == user).copied();
            if let Some(stored) = stored {
                tables.sessions_by_token.remove(stored.token_hash);
                tables.sessions.remove(stored.id);
            }
            Ok(stored.is_some())
        })
    }
}

/// The accounts of a user, oldest first.
pub(super) fn accounts_of(tables: &Tables, owner: UserId) -> impl Iterator<Item = AccountId> {
    let first = (owner, Timestamp::from_micros(i64::MIN), AccountId::from_u128(0));
    let last = (owner, Timestamp::from_micros(i64::MAX), AccountId::from_u128(u128::MAX));
    let range = (Bound::Included(first), Bound::Included(last));
    tables.accounts_by_owner.committed().range(range).map(|((_, _, account), ())| *account)
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
        let row = id.and_then(|id| tables.users.committed().get(id)).cloned();
        Ok(row.map(|UserRow { user, password }| Credentials { user, password }))
    }

    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.read()?.users.committed().get(&id).map(|row| row.user.clone()))
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

    async fn has_users(&self) -> Result<bool, StoreError> {
        Ok(!self.read()?.users.committed().is_empty())
    }
}
