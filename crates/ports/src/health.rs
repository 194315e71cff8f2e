//! Whether storage answers.

use async_trait::async_trait;

use crate::error::StoreError;

/// Answers for one dependency.
#[async_trait]
pub trait Health: Send + Sync {
    /// Succeeds if storage answers a trivial question in time.
    async fn ping(&self) -> Result<(), StoreError>;
}
