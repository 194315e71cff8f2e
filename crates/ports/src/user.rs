//! Users and their sessions: writing and reading them.

use std::collections::BTreeSet;

use async_trait::async_trait;
use foretell_domain::id::{AccountId, ApiKeyId, SessionId, UserId};
use foretell_domain::text::Email;
use foretell_domain::time::Timestamp;
use foretell_domain::user::{Role, User, UserStatus};

use crate::api_key::ApiKeyQueries;
use crate::error::StoreError;
use crate::known_network::KnownNetworkQueries;
use crate::page::Stretch;
use crate::secret::{PasswordHash, TokenHash};
use crate::unit::Locked;

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

/// Identifies a credential, to look it up again inside a unit of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialId {
    /// A session.
    Session(SessionId),
    /// An API key.
    ApiKey(ApiKeyId),
    /// No credential: the process itself acts for this user.
    User(UserId),
}

/// A stored credential and the present state of its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialState {
    /// The credential.
    pub credential: CredentialId,
    /// Its user.
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
    /// None: the unit sees every change that was committed before the read.
    None,
    /// An exclusive lock on the users, and a shared one on the sessions and keys: beside what a shared lock keeps out,
    /// no other unit that locks one of these users goes on before this one ends. What it counts of them stays as it is.
    Exclusive,
    /// A shared lock on the users, sessions and keys: nobody changes a role or status, or ends a credential,
    /// before the unit ends. Take it before the locks on markets and accounts.
    Shared,
}

/// Writes users and sessions within a unit of work.
pub trait UserTx {
    /// Finds those of the credentials that exist, in any order, with one statement for each kind of credential.
    /// Expired ones and those of suspended users are included.
    fn find_credential_states(
        &mut self,
        credentials: &BTreeSet<CredentialId>,
        lock: CredentialLock,
    ) -> Result<Vec<CredentialState>, StoreError>;

    /// Inserts a user unless the mail address is taken, and says whether it did.
    fn insert_user_once(&mut self, user: &User, password: &PasswordHash) -> Result<bool, StoreError>;

    /// Locks the user with this id against other units.
    fn lock_user(&mut self, id: UserId) -> Result<Option<Locked<Credentials>>, StoreError>;

    /// Locks the user with this id and every active admin, in ascending order of id, and returns them in that
    /// order.
    fn lock_user_and_admins(&mut self, id: UserId) -> Result<Vec<Locked<Credentials>>, StoreError>;

    /// Saves all of a user, but for the id and the date, and the hash of the password. An erased user is so since
    /// `at`. A taken mail address is rejected.
    fn save_user(&mut self, user: &Locked<Credentials>, at: Timestamp) -> Result<(), StoreError>;

    /// Inserts a session.
    fn insert_session(&mut self, session: &Session) -> Result<(), StoreError>;

    /// Deletes a session of this user and says whether it was there.
    fn delete_session(&mut self, user: UserId, session: SessionId) -> Result<bool, StoreError>;

    /// Deletes all sessions of a user but for the one to keep, if any, and says how many there were.
    fn delete_sessions_of(&mut self, user: UserId, kept: Option<SessionId>) -> Result<usize, StoreError>;

    /// Deletes the oldest of a locked user's sessions that end after a time, so that at most `kept` of these are left, and
    /// returns the number of those deleted.
    fn end_oldest_sessions(
        &mut self,
        user: &Locked<Credentials>,
        ending_after: Timestamp,
        kept: u32,
    ) -> Result<usize, StoreError>;

    /// Deletes at most `limit` sessions that ended before a time, and says how many.
    fn purge_sessions(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
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
pub trait UserQueries: ApiKeyQueries + KnownNetworkQueries {
    /// The user with this mail address, and the password's hash.
    async fn find_credentials(&self, email: &Email) -> Result<Option<Credentials>, StoreError>;

    /// The user with this id.
    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// A stretch of the users, newest first, without those who are erased.
    async fn list_users(&self, stretch: Stretch<UserId>) -> Result<Vec<User>, StoreError>;

    /// How many users there are, without those who are erased.
    async fn count_users(&self) -> Result<i64, StoreError>;

    /// The users among `ids` that exist, in any order, in one statement.
    async fn find_users(&self, ids: &[UserId]) -> Result<Vec<User>, StoreError>;

    /// The session of a token, whether it has ended or not, with its user and their oldest account. Every user
    /// has an account: without one there is no session either.
    async fn find_session(&self, token: &TokenHash) -> Result<Option<SessionDetails>, StoreError>;

    /// A stretch of a user's sessions that end after a time, newest first.
    async fn list_sessions(
        &self,
        user: UserId,
        ending_after: Timestamp,
        stretch: Stretch<SessionId>,
    ) -> Result<Vec<Session>, StoreError>;

    /// How many sessions of a user end after a time.
    async fn count_sessions(&self, user: UserId, ending_after: Timestamp) -> Result<i64, StoreError>;

    /// Whether there is any user at all.
    async fn has_users(&self) -> Result<bool, StoreError>;
}
