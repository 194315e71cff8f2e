//! Reasons why a server could not be built.

use foretell_application::StartError;
use foretell_cache::RedisError;
use foretell_persistence::{ConnectError, MigrateError};
use foretell_ports::error::StoreError;
use foretell_ports::secret::PasswordError;
use thiserror::Error;

/// Reason why a server could not be built.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The database cannot be opened.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The database cannot be migrated.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// Storage failed, or the database has another currency.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The settings of Redis are invalid; a Redis that does not respond is not an error.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// The password hasher could not be created.
    #[error(transparent)]
    Passwords(#[from] PasswordError),
}

impl From<StoreError> for BuildError {
    fn from(error: StoreError) -> Self {
        Self::Start(error.into())
    }
}
