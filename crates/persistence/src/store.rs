//! The store: an open database with a pool for writing and one for reading.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use foretell_ports::error::StoreError;
use foretell_ports::health::Health;
use tracing::Instrument as _;

use crate::config::{DatabaseConfig, DatabaseUrl};
use crate::connection::{Connection, on};
use crate::dialect::pool::{Fate, Loan, Pool, PoolLimits};
use crate::dialect::session::Purpose;
use crate::dialect::transaction;
use crate::error::{ConnectError, Failure};
use crate::prepared::prepared;
use diesel::RunQueryDsl as _;

/// An open database behind the ports. Cheap to clone; all clones share its connections.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    url: DatabaseUrl,
    writers: Pool,
    readers: Pool,
}

impl Store {
    /// Opens a database and makes sure that it answers. Its schema may be anything yet, see
    /// [`Store::migrate`].
    ///
    /// # Errors
    /// [`ConnectError::Folder`] if the folder of a new file cannot be made, [`ConnectError::Unreachable`] if
    /// the database does not answer.
    pub async fn connect(config: &DatabaseConfig) -> Result<Self, ConnectError> {
        if let DatabaseUrl::Sqlite(path) = &config.url {
            make_folder(path)?;
        }
        let is_postgres = config.url.is_postgres();
        let write_connections = if is_postgres { config.write_connections.max(1) } else { 1 };
        let pool = |connections, purpose| {
            let limits = PoolLimits { connections, wait: config.wait };
            Pool::new(&config.url, limits, purpose).map_err(ConnectError::Unreachable)
        };
        let writers = pool(write_connections, Purpose::Writing)?;
        let readers = pool(config.read_connections.max(1), Purpose::Reading)?;
        let store = Self(Arc::new(Inner { url: config.url.clone(), writers, readers }));
        // The writer first: it makes a new file, which a reader may not.
        let writer = store.0.writers.borrow().await;
        drop(writer.map_err(|error| ConnectError::Unreachable(Box::new(error)))?);
        store.ping().await.map_err(|error| ConnectError::Unreachable(Box::new(error)))?;
        Ok(store)
    }

    /// Whether it is a Postgres server, which several units of work may write to at once; a file has one
    /// writer.
    pub fn is_postgres(&self) -> bool {
        self.0.url.is_postgres()
    }

    /// Which database it is.
    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.0.url
    }

    pub(crate) fn writers(&self) -> &Pool {
        &self.0.writers
    }

    /// Runs a query on a connection that cannot write, and once more if an idle connection was lost.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        name: &'static str,
        query: impl Fn(&mut Connection<'_>) -> Result<T, Failure> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let query = Arc::new(query);
        let span = tracing::debug_span!("db.query", query = name);
        let first = run(self.0.readers.borrow().await?, Arc::clone(&query), span.clone()).await?;
        match first {
            Err(failure) if failure.is_connection_lost() => {
                self.0.readers.close_idle();
                let second = run(self.0.readers.borrow().await?, query, span).await?;
                second.map_err(StoreError::from)
            }
            result => result.map_err(StoreError::from),
        }
    }
}

/// Runs a query in a task of its own, so that its connection stays on loan until it ends.
async fn run<T, Q>(loan: Loan, query: Arc<Q>, span: tracing::Span) -> Result<Result<T, Failure>, StoreError>
where
    T: Send + 'static,
    Q: Fn(&mut Connection<'_>) -> Result<T, Failure> + Send + Sync + 'static,
{
    let work = move |connection: &mut Connection<'_>| {
        let result = query(connection);
        let is_usable =
            transaction::is_usable(connection) && !result.as_ref().is_err_and(Failure::is_connection_lost);
        (result, if is_usable { Fate::Keep } else { Fate::Close })
    };
    let task = tokio::spawn(loan.run(work).instrument(span));
    let ran = task.await.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    ran.map_err(|error| StoreError::Unavailable(error.to_string().into()))
}

fn make_folder(path: &Path) -> Result<(), ConnectError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.map_or(Ok(()), |folder| {
        std::fs::create_dir_all(folder)
            .map_err(|source| ConnectError::Folder { folder: folder.to_owned(), source })
    })
}

/// Shows which database it is, without a password.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.0.url).finish()
    }
}

#[async_trait]
impl Health for Store {
    async fn ping(&self) -> Result<(), StoreError> {
        let ping = |connection: &mut Connection<'_>| {
            on!(connection, |c| prepared("SELECT 1").execute(c))?;
            Ok(())
        };
        self.read("ping", ping).await
    }
}
