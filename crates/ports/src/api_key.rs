//! Storage of API keys, which programs present instead of a session.

use async_trait::async_trait;
use foretell_domain::id::{AccountId, ApiKeyId, UserId};
use foretell_domain::scope::Scopes;
use foretell_domain::text::KeyName;
use foretell_domain::time::Timestamp;
use foretell_domain::user::User;

use crate::error::StoreError;
use crate::page::PageRequest;
use crate::secret::TokenHash;

/// An API key: the hash of its secret, its scopes and its expiry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Identifier of the key.
    pub id: ApiKeyId,
    /// Owner.
    pub user_id: UserId,
    /// Name given by the owner.
    pub name: KeyName,
    /// Hash of the secret.
    pub secret_hash: TokenHash,
    /// Scopes.
    pub scopes: Scopes,
    /// Creation time.
    pub created_at: Timestamp,
    /// Expiry time, if any.
    pub expires_at: Option<Timestamp>,
    /// Time of the last recorded use; uses in quick succession are not all recorded.
    pub last_used_at: Option<Timestamp>,
}

/// Writes API keys within a unit of work.
pub trait ApiKeyTx {
    /// Inserts a key.
    fn insert_api_key(&mut self, key: &ApiKey) -> Result<(), StoreError>;

    /// Deletes a key of this user. Returns `true` if it existed.
    fn delete_api_key(&mut self, user: UserId, key: ApiKeyId) -> Result<bool, StoreError>;

    /// Deletes all keys of a user and returns their number.
    fn delete_api_keys_of(&mut self, user: UserId) -> Result<usize, StoreError>;

    /// Records that a key was used at a time, unless it was used later or is gone.
    fn record_api_key_use(&mut self, key: ApiKeyId, at: Timestamp) -> Result<(), StoreError>;
}

/// An API key with its user and the user's trading account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyDetails {
    /// The key.
    pub key: ApiKey,
    /// Owner.
    pub user: User,
    /// Oldest account of the user.
    pub account_id: AccountId,
}

/// Reads API keys.
#[async_trait]
pub trait ApiKeyQueries: Send + Sync {
    /// Returns the key with this secret, expired or not, with its user and the user's oldest
    /// account.
    async fn find_api_key(&self, secret: &TokenHash) -> Result<Option<ApiKeyDetails>, StoreError>;

    /// Returns a page of a user's keys, newest first, including expired ones.
    async fn list_api_keys(
        &self,
        user: UserId,
        page: PageRequest<ApiKeyId>,
    ) -> Result<Vec<ApiKey>, StoreError>;

    /// Returns the number of a user's keys.
    async fn count_api_keys(&self, user: UserId) -> Result<i64, StoreError>;
}
