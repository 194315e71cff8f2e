//! Opens and migrates the storage that was chosen.

use std::sync::Arc;

use foretell_persistence::{ConnectError, DatabaseConfig, DatabaseUrl, Store};

use crate::error::BuildError;
use crate::storage::{Chosen, Storage};

/// Storage that is ready to use.
pub(crate) struct Opened {
    pub(crate) storage: Arc<dyn Storage>,
    /// `true` for a Postgres server, which has several writers.
    pub(crate) is_postgres: bool,
}

impl Opened {
    /// Opens and migrates it.
    ///
    /// # Errors
    /// [`BuildError::Connect`], [`BuildError::Migrate`].
    pub(crate) async fn open(chosen: Chosen) -> Result<Self, BuildError> {
        let store = match chosen {
            Chosen::Adapter(storage) => return Ok(Self { storage, is_postgres: false }),
            Chosen::Store(store) => store,
            Chosen::Config(config) => Store::connect(&config).await?,
            Chosen::Postgres(url) => {
                let url: DatabaseUrl = url.parse()?;
                if !url.is_postgres() {
                    return Err(ConnectError::Url("it does not start with postgres://").into());
                }
                Store::connect(&DatabaseConfig::new(url)).await?
            }
        };
        let report = store.migrate().await?;
        if !report.applied.is_empty() {
            tracing::info!(applied = report.applied.len(), "migrated the database");
        }
        let is_postgres = store.is_postgres();
        Ok(Self { storage: Arc::new(store), is_postgres })
    }
}
