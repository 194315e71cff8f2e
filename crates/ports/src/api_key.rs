//! API keys: what programs present in place of a session, writing and reading them.

use async_trait::async_trait;
use foretell_domain::id::{AccountId, ApiKeyId, UserId};
use foretell_domain::scope::Scopes;
use foretell_domain::text::KeyName;
use foretell_domain::time::Timestamp;
use foretell_domain::user::User;

use crate::error::StoreError;
use crate::page::Stretch;
use crate::secret::TokenHash;

/// An API key: who may present a secret, what for, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Names the key.
    pub id: ApiKeyId,
    /// Whose it is.
    pub user_id: UserId,
    /// What its user calls it.
    pub name: KeyName,
    /// What is stored of the secret.
    pub secret_hash: TokenHash,
    /// What it may be used for; at least one thing.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself, if ever.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, as far as that was recorded: uses that follow close upon one another are not.
    pub last_used_at: Option<Timestamp>,
}

/// Writes API keys within a unit of work.
pub trait ApiKeyTx {
    /// Inserts a key.
    fn insert_api_key(&mut self, key: &ApiKey) -> Result<(), StoreError>;

    /// Deletes a key of this user and says whether it was there.
    fn delete_api_key(&mut self, user: UserId, key: ApiKeyId) -> Result<bool, StoreError>;

    /// Deletes all keys of a user and says how many there were.
    fn delete_api_keys_of(&mut self, user: UserId) -> Result<usize, StoreError>;

    /// Records that a key was used at a time, unless it was used later or is gone.
    fn record_api_key_use(&mut self, key: ApiKeyId, at: Timestamp) -> Result<(), StoreError>;
}

/// An API key with its user and the account that they trade with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyDetails {
    /// The key.
    pub key: ApiKey,
    /// Whose it is.
    pub user: User,
    /// The user's oldest account.
    pub account_id: AccountId,
}

/// Reads API keys.
#[async_trait]
pub trait ApiKeyQueries: Send + Sync {
    /// The key of a secret, whether it has ended or not, with its user and their oldest account.
    async fn find_api_key(&self, secret: &TokenHash) -> Result<Option<ApiKeyDetails>, StoreError>;

    /// A stretch of the keys of a user, newest first, those that have ended included.
    async fn list_api_keys(
        &self,
        user: UserId,
        stretch: Stretch<ApiKeyId>,
    ) -> Result<Vec<ApiKey>, StoreError>;

    /// How many keys a user has.
    async fn count_api_keys(&self, user: UserId) -> Result<i64, StoreError>;
}
