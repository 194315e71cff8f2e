//! Outcomes of money commands, kept so that a repeated command is answered and not done again.

use async_trait::async_trait;
use foretell_domain::id::UserId;
use foretell_domain::time::Timestamp;

use crate::error::StoreError;

/// The most bytes of an idempotency key.
pub const MAX_KEY_BYTES: usize = 255;

/// A command's name: unique for its user.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandKey {
    /// Who sent the command.
    pub user_id: UserId,
    /// The name that they gave it, 1 to 255 bytes.
    pub key: String,
}

/// The stored outcome of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredOutcome {
    /// The command's name.
    pub key: CommandKey,
    /// The SHA-256 of the canonical command, to tell a repetition from another command of the same name.
    pub request_hash: [u8; 32],
    /// The outcome in the application's own encoding.
    pub outcome: String,
    /// When it happened.
    pub created_at: Timestamp,
}

/// Writes and looks up outcomes within a unit of work.
pub trait IdempotencyTx {
    /// The outcomes stored under any of `keys`, in any order; absent ones are left out.
    fn find_outcomes(&mut self, keys: &[CommandKey]) -> Result<Vec<StoredOutcome>, StoreError>;

    /// Stores outcomes. A key that is already there makes it [`StoreError::Rejected`].
    fn insert_outcomes(&mut self, outcomes: &[StoredOutcome]) -> Result<(), StoreError>;

    /// Deletes at most `limit` outcomes stored before `before` and says how many.
    fn purge_outcomes(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// Looks up outcomes outside a unit of work.
#[async_trait]
pub trait IdempotencyQueries: Send + Sync {
    /// The outcome stored under `key`.
    async fn find_outcome(&self, key: &CommandKey) -> Result<Option<StoredOutcome>, StoreError>;
}
