//! Whether storage answers.

use async_trait::async_trait;

use crate::error::StoreError;

/// Answers for one dependency.
#[async_trait]
pub trait Health: Send + Sync {
    /// Succeeds if storage answers a trivial question in time.
    async fn ping(&self) -> Result<(), StoreError>;

    /// How many of the migrations that the adapter knows the database lacks: it cannot be worked with until there are
    /// none. Those of a newer program do not count.
    async fn missing_migrations(&self) -> Result<usize, StoreError>;
}
