//! The ports of users and sessions.

use async_trait::async_trait;
use foretell_domain::id::{SessionId, UserId};
use foretell_domain::text::Email;
use foretell_domain::user::User;
use foretell_ports::error::StoreError;
use foretell_ports::secret::{PasswordHash, TokenHash};
use foretell_ports::user::{Credentials, Session, SessionDetails, UserQueries, UserTx};

use crate::store::Store;
use crate::tx::UnitTx;
use crate::{sessions, users};

impl UserTx for UnitTx<'_, '_> {
    fn insert_user_once(&mut self, user: &User, password: &PasswordHash) -> Result<bool, StoreError> {
        self.step(|c| users::insert_once(c, user, password))
    }

    fn save_password(&mut self, user: UserId, password: &PasswordHash) -> Result<(), StoreError> {
        self.step(|c| users::save_password(c, user, password))
    }

    fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        self.step(|c| sessions::insert(c, session))
    }

    fn delete_session(&mut self, user: UserId, session: SessionId) -> Result<bool, StoreError> {
        self.step(|c| sessions::delete(c, user, session))
    }
}

#[async_trait]
impl UserQueries for Store {
    async fn find_credentials(&self, email: &Email) -> Result<Option<Credentials>, StoreError> {
        let email = email.clone();
        self.read("find_credentials", move |c| users::find_credentials(c, &email)).await
    }

    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.read("find_user", move |c| users::find(c, id)).await
    }

    async fn find_users(&self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        let ids = ids.to_vec();
        self.read("find_users", move |c| users::find_all(c, &ids)).await
    }

    async fn find_session(&self, token: &TokenHash) -> Result<Option<SessionDetails>, StoreError> {
        let token = *token;
        self.read("find_session", move |c| sessions::find(c, token)).await
    }

    async fn has_users(&self) -> Result<bool, StoreError> {
        self.read("has_users", users::has_any).await
    }
}
