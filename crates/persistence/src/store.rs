//! The store: an open database with a pool for writing and one for reading.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use foretell_ports::cost;
use foretell_ports::error::StoreError;
use foretell_ports::health::Health;
use metrics::{counter, gauge, histogram};
use tracing::Span;

use crate::config::{DatabaseConfig, DatabaseUrl};
use crate::connection::{Connection, on};
use crate::dialect::pool::{Fate, Pool, PoolLimits};
use crate::dialect::session::Purpose;
use crate::dialect::transaction;
use crate::error::{ConnectError, Failure};
use crate::prepared::prepared;
use crate::tally;
use crate::threads::Threads;
use diesel::RunQueryDsl as _;

/// An open database behind the ports. Cheap to clone; all clones share its connections.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    url: DatabaseUrl,
    writers: Pool,
    readers: Pool,
    /// Where units run.
    writing: Threads,
    /// Where queries run.
    reading: Threads,
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
        let read_connections = config.read_connections.max(1);
        let readers = pool(read_connections, Purpose::Reading)?;
        let threads =
            |name, count| Threads::new(name, count).map_err(|error| ConnectError::Unreachable(error.into()));
        let writing = threads("db-write", write_connections)?;
        let reading = threads("db-read", read_connections)?;
        let url = config.url.clone();
        let store = Self(Arc::new(Inner { url, writers, readers, writing, reading }));
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

    pub(crate) fn writing_threads(&self) -> &Threads {
        &self.0.writing
    }

    /// Runs a query on a connection that cannot write, and once more if an idle connection was lost.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        name: &'static str,
        query: impl Fn(&mut Connection<'_>) -> Result<T, Failure> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let measured = self.read_once_more(name, Arc::new(query)).await;
        let result = if measured.is_ok() { "ok" } else { "failed" };
        counter!("foretell_database_reads_total", "result" => result).increment(1);
        measured
    }

    async fn read_once_more<T, Q>(&self, name: &'static str, query: Arc<Q>) -> Result<T, StoreError>
    where
        T: Send + 'static,
        Q: Fn(&mut Connection<'_>) -> Result<T, Failure> + Send + Sync + 'static,
    {
        let span = tracing::debug_span!("db.query", query = name);
        match self.query(Arc::clone(&query), span.clone()).await? {
            Err(failure) if failure.is_connection_lost() => {
                self.0.readers.close_idle();
                self.query(query, span).await?.map_err(StoreError::from)
            }
            result => result.map_err(StoreError::from),
        }
    }

    /// Runs a query on a thread for queries. It goes on to its end even if nobody waits for it any more, and
    /// its connection stays on loan until then.
    async fn query<T, Q>(&self, query: Arc<Q>, span: Span) -> Result<Result<T, Failure>, StoreError>
    where
        T: Send + 'static,
        Q: Fn(&mut Connection<'_>) -> Result<T, Failure> + Send + Sync + 'static,
    {
        let begun = Instant::now();
        let loan = self.0.readers.borrow().await?;
        histogram!("foretell_database_read_wait_seconds").record(begun.elapsed());
        let _in_flight = InFlight::begin();
        let begun = Instant::now();
        let work = move |connection: &mut Connection<'_>| {
            tally::take();
            let result = query(connection);
            let is_lost = result.as_ref().is_err_and(Failure::is_connection_lost);
            let is_kept = transaction::is_usable(connection) && !is_lost;
            ((result, tally::take()), if is_kept { Fate::Keep } else { Fate::Close })
        };
        let ran = self.0.reading.run(move || span.in_scope(|| loan.run(work))).await;
        let took = begun.elapsed();
        histogram!("foretell_database_read_duration_seconds").record(took);
        let ran = ran.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        let (result, statements) = ran.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        if let Some(cost) = cost::current() {
            cost.add(statements, took);
        }
        Ok(result)
    }
}

/// One of the queries that are being answered, as long as this lives.
struct InFlight;

impl InFlight {
    fn begin() -> Self {
        gauge!("foretell_database_reads_in_flight").increment(1);
        Self
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        gauge!("foretell_database_reads_in_flight").decrement(1);
    }
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

    async fn missing_migrations(&self) -> Result<usize, StoreError> {
        self.count_missing_migrations().await
    }
}
