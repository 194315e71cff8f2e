//! Stored outcomes of money commands, so that a repeated command returns the first outcome and is
//! not executed again.

use async_trait::async_trait;
use foretell_domain::id::UserId;
use foretell_domain::time::Timestamp;

use crate::error::StoreError;

/// Maximum bytes of an idempotency key.
pub const MAX_KEY_BYTES: usize = 255;

/// Idempotency key of a command, unique for its user.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandKey {
    /// User who sent the command.
    pub user_id: UserId,
    /// Key chosen by the user, 1 to 255 bytes.
    pub key: String,
}

/// The stored outcome of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredOutcome {
    /// Idempotency key of the command.
    pub key: CommandKey,
    /// SHA-256 of the canonical command, to distinguish a repetition from another command with the
    /// same key.
    pub request_hash: [u8; 32],
    /// Outcome, in the application's own encoding.
    pub outcome: String,
    /// Execution time.
    pub created_at: Timestamp,
}

/// Writes and reads outcomes within a unit of work.
pub trait IdempotencyTx {
    /// Returns the outcomes stored under any of `keys`, in any order; absent ones are left out.
    fn find_outcomes(&mut self, keys: &[CommandKey]) -> Result<Vec<StoredOutcome>, StoreError>;

    /// Stores outcomes. An existing key causes [`StoreError::Rejected`].
    fn insert_outcomes(&mut self, outcomes: &[StoredOutcome]) -> Result<(), StoreError>;

    /// Deletes at most `limit` outcomes stored before `before` and returns their number.
    fn purge_outcomes(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// Reads outcomes outside a unit of work.
#[async_trait]
pub trait IdempotencyQueries: Send + Sync {
    /// Returns the outcome stored under `key`.
    async fn find_outcome(&self, key: &CommandKey) -> Result<Option<StoredOutcome>, StoreError>;
}
