//! Users and their sessions: writing and reading them.

use async_trait::async_trait;
use foretell_domain::id::{AccountId, SessionId, UserId};
use foretell_domain::text::Email;
use foretell_domain::time::Timestamp;
use foretell_domain::user::User;

use crate::error::StoreError;
use crate::secret::{PasswordHash, TokenHash};

/// A session: who may present a token, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Names the session.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// What is stored of the token.
    pub token_hash: TokenHash,
    /// When the user signed in.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// Writes users and sessions within a unit of work.
pub trait UserTx {
    /// Inserts a user unless the mail address is taken, and says whether it did.
    fn insert_user_once(&mut self, user: &User, password: &PasswordHash) -> Result<bool, StoreError>;

    /// Replaces the password hash of a user, who must exist.
    fn save_password(&mut self, user: UserId, password: &PasswordHash) -> Result<(), StoreError>;

    /// Inserts a session.
    fn insert_session(&mut self, session: &Session) -> Result<(), StoreError>;

    /// Deletes a session of this user and says whether it was there.
    fn delete_session(&mut self, user: UserId, session: SessionId) -> Result<bool, StoreError>;
}

/// A user with what is needed to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user: User,
    /// The hash of the password.
    pub password: PasswordHash,
}

/// A live session with its user and the account that they trade with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDetails {
    /// The session.
    pub session: Session,
    /// Whose it is.
    pub user: User,
    /// The user's oldest account.
    pub account_id: AccountId,
}

/// Reads users and sessions.
#[async_trait]
pub trait UserQueries: Send + Sync {
    /// The user with this mail address, and the password's hash.
    async fn find_credentials(&self, email: &Email) -> Result<Option<Credentials>, StoreError>;

    /// The user with this id.
    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// The users among `ids` that exist, in any order, in one statement.
    async fn find_users(&self, ids: &[UserId]) -> Result<Vec<User>, StoreError>;

    /// The session of a token, whether it has ended or not, with its user and their oldest account. Every user
    /// has an account: without one there is no session either.
    async fn find_session(&self, token: &TokenHash) -> Result<Option<SessionDetails>, StoreError>;

    /// Whether there is any user at all.
    async fn has_users(&self) -> Result<bool, StoreError>;
}
