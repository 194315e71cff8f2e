//! Health check of storage.

use async_trait::async_trait;

use crate::error::StoreError;

/// Health check of one dependency.
#[async_trait]
pub trait Health: Send + Sync {
    /// Succeeds if storage answers a trivial query in time.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Returns the number of migrations known to the adapter that the database lacks: the server
    /// cannot run until there are none. Migrations of a newer program do not count.
    async fn missing_migrations(&self) -> Result<usize, StoreError>;
}
