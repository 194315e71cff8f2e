//! Storage of users and their sessions.

use std::collections::BTreeSet;

use async_trait::async_trait;
use foretell_domain::id::{AccountId, ApiKeyId, SessionId, UserId};
use foretell_domain::text::Email;
use foretell_domain::time::Timestamp;
use foretell_domain::user::{Role, User, UserStatus};

use crate::api_key::ApiKeyQueries;
use crate::error::StoreError;
use crate::invitation::InvitationQueries;
use crate::known_network::KnownNetworkQueries;
use crate::locked::Locked;
use crate::page::PageRequest;
use crate::secret::{PasswordHash, TokenHash};

pub use crate::credentials::Credentials;

/// A session: the hash of its token and its expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Identifier of the session.
    pub id: SessionId,
    /// User.
    pub user_id: UserId,
    /// Hash of the token.
    pub token_hash: TokenHash,
    /// Time of the sign-in.
    pub created_at: Timestamp,
    /// Expiry time.
    pub expires_at: Timestamp,
}

/// Identifier of a credential, to find it again inside a unit of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialId {
    /// A session.
    Session(SessionId),
    /// An API key.
    ApiKey(ApiKeyId),
    /// No credential: the process itself acts for this user.
    User(UserId),
}

/// A stored credential and the current state of its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialState {
    /// The credential.
    pub credential: CredentialId,
    /// User of the credential.
    pub user_id: UserId,
    /// The user's role.
    pub role: Role,
    /// The user's status.
    pub status: UserStatus,
    /// The time at which the credential expires, if it does.
    pub expires_at: Option<Timestamp>,
}

/// The lock that a unit of work takes when it reads credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialLock {
    /// No lock: the unit sees every change that was committed before the read.
    None,
    /// An exclusive lock on the users, and a shared one on the sessions and keys: in addition to
    /// the effect of a shared lock, every other unit that locks one of these users waits until this
    /// one ends. Counts of the user's resources stay unchanged.
    Exclusive,
    /// A shared lock on the users, sessions and keys: nobody changes a role or status, or ends a
    /// credential, before the unit ends. Take it before the locks on markets and accounts.
    Shared,
}

/// Writes users and sessions within a unit of work.
pub trait UserTx {
    /// Returns those of the credentials that exist, in any order, with one statement for each kind
    /// of credential. Expired ones and those of suspended users are included.
    fn find_credential_states(
        &mut self,
        credentials: &BTreeSet<CredentialId>,
        lock: CredentialLock,
    ) -> Result<Vec<CredentialState>, StoreError>;

    /// Inserts a user unless the email address is taken. Returns `true` if the user was inserted.
    fn insert_user_once(
        &mut self,
        user: &User,
        password: &PasswordHash,
    ) -> Result<bool, StoreError>;

    /// Locks the user with this id against other units.
    fn lock_user(&mut self, id: UserId) -> Result<Option<Locked<Credentials>>, StoreError>;

    /// Locks the user with this id and every active admin, in ascending order of id, and returns
    /// them in that order.
    fn lock_user_and_admins(&mut self, id: UserId) -> Result<Vec<Locked<Credentials>>, StoreError>;

    /// Saves all fields of a user except the id and the registration time, and the hash of the
    /// password. `at` is the time of erasure of an erased user. An email address in use is
    /// rejected.
    fn save_user(&mut self, user: &Locked<Credentials>, at: Timestamp) -> Result<(), StoreError>;

    /// Inserts a session.
    fn insert_session(&mut self, session: &Session) -> Result<(), StoreError>;

    /// Deletes a session of this user. Returns `true` if it existed.
    fn delete_session(&mut self, user: UserId, session: SessionId) -> Result<bool, StoreError>;

    /// Deletes all sessions of a user except `kept`, if any, and returns their number.
    fn delete_sessions_of(
        &mut self,
        user: UserId,
        kept: Option<SessionId>,
    ) -> Result<usize, StoreError>;

    /// Deletes the oldest of a locked user's sessions that end after a time, so that at most `kept`
    /// of these are left, and returns the number of deleted sessions.
    fn end_oldest_sessions(
        &mut self,
        user: &Locked<Credentials>,
        ending_after: Timestamp,
        kept: u32,
    ) -> Result<usize, StoreError>;

    /// Deletes at most `limit` sessions that ended before a time, and returns their number.
    fn purge_sessions(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// A live session with its user and the user's trading account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDetails {
    /// The session.
    pub session: Session,
    /// User of the session.
    pub user: User,
    /// Oldest account of the user.
    pub account_id: AccountId,
}

/// Reads users and sessions.
#[async_trait]
pub trait UserQueries: ApiKeyQueries + KnownNetworkQueries + InvitationQueries {
    /// Returns the user with this email address, and the hash of the password.
    async fn find_credentials(&self, email: &Email) -> Result<Option<Credentials>, StoreError>;

    /// Returns the user with this id.
    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// Returns a page of the users, newest first, without erased ones.
    async fn list_users(&self, page: PageRequest<UserId>) -> Result<Vec<User>, StoreError>;

    /// Returns the number of users, without erased ones.
    async fn count_users(&self) -> Result<i64, StoreError>;

    /// Returns the users among `ids` that exist, in any order, in one statement.
    async fn find_users(&self, ids: &[UserId]) -> Result<Vec<User>, StoreError>;

    /// Returns the session with this token, expired or not, with its user and the user's oldest
    /// account. Every user has an account: without one the session is not found either.
    async fn find_session(&self, token: &TokenHash) -> Result<Option<SessionDetails>, StoreError>;

    /// Returns a page of a user's sessions that end after a time, newest first.
    async fn list_sessions(
        &self,
        user: UserId,
        ending_after: Timestamp,
        page: PageRequest<SessionId>,
    ) -> Result<Vec<Session>, StoreError>;

    /// Returns the number of a user's sessions that end after a time.
    async fn count_sessions(
        &self,
        user: UserId,
        ending_after: Timestamp,
    ) -> Result<i64, StoreError>;

    /// Returns `true` if there is any user.
    async fn has_users(&self) -> Result<bool, StoreError>;
}
