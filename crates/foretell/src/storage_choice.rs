//! Choice of the storage.

use std::path::PathBuf;
use std::sync::Arc;

use foretell_persistence::{DatabaseConfig, DatabaseUrl, Store};

use crate::builder::Builder;
use crate::server::Foretell;
use crate::storage::{Chosen, Storage};

impl Foretell {
    /// Begins with the choice of the storage.
    pub const fn builder() -> StorageChoice {
        StorageChoice(())
    }
}

/// First step of a [`Builder`]: the storage, which has no default.
#[derive(Debug, Clone, Copy)]
#[must_use = "a server needs storage"]
pub struct StorageChoice(());

impl StorageChoice {
    /// Stores everything in memory until the process ends: for tests and experiments.
    #[cfg(feature = "memory")]
    pub fn in_memory(self) -> Builder {
        self.storage(foretell_testkit::MemoryStore::new())
    }

    /// Opens the `SQLite` file of this path, and creates it and its folder if necessary.
    pub fn sqlite(self, path: impl Into<PathBuf>) -> Builder {
        self.database(DatabaseConfig::new(DatabaseUrl::Sqlite(path.into())))
    }

    /// Opens the Postgres database of this URL, such as `postgres://user:password@host/name`.
    pub fn postgres(self, url: impl Into<String>) -> Builder {
        Builder::new(Chosen::Postgres(url.into()))
    }

    /// Opens a database with these connections.
    pub fn database(self, config: DatabaseConfig) -> Builder {
        Builder::new(Chosen::Config(config))
    }

    /// Takes an open database, such as one that was backed up before [`Builder::build`] migrates
    /// it.
    pub fn store(self, store: Store) -> Builder {
        Builder::new(Chosen::Store(store))
    }

    /// Takes another adapter, which must need no migration.
    pub fn storage(self, storage: impl Storage + 'static) -> Builder {
        Builder::new(Chosen::Adapter(Arc::new(storage)))
    }
}
