//! The store: an open database with separate pools for writing, reading and searching.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use foretell_ports::cost;
use foretell_ports::error::StoreError;
use foretell_ports::health::Health;
use metrics::{counter, gauge, histogram};
use tracing::Span;

use crate::cancel::{Caller, Canceller};
use crate::checkpoint::Checkpointer;
use crate::config::{DatabaseConfig, DatabaseUrl};
use crate::connection::{Connection, on};
use crate::dialect::pool::{Pool, PoolLimits, Recycle};
use crate::dialect::session::Purpose;
use crate::dialect::transaction;
use crate::error::{ConnectError, Failure};
use crate::prepared::prepared;
use crate::statement_count;
use crate::text_index::TextIndex;
use crate::threads::Threads;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl as _};

/// An open database that implements the ports. Cheap to clone; all clones share its connections.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    url: DatabaseUrl,
    writers: Lane,
    readers: Lane,
    /// Searches, which must not use the connections and threads of other queries.
    searchers: Lane,
    search_connections: usize,
    text_index: Arc<TextIndex>,
    /// Cancels queries on Postgres.
    canceller: Option<Arc<Canceller>>,
    /// Copies the log of a file.
    checkpointer: Option<Checkpointer>,
}

/// A connection pool with as many threads.
struct Lane {
    pool: Pool,
    threads: Threads,
}

impl Store {
    /// Opens a database and checks that it responds and has the encoding UTF-8. Its schema may be
    /// outdated, see [`Store::migrate`].
    ///
    /// # Errors
    /// [`ConnectError::Folder`] if the folder of a new file cannot be created,
    /// [`ConnectError::Unreachable`] if the database does not respond, [`ConnectError::Encoding`]
    /// if it cannot store every text.
    pub async fn connect(config: &DatabaseConfig) -> Result<Self, ConnectError> {
        if let DatabaseUrl::Sqlite(path) = &config.url {
            make_folder(path)?;
        }
        let is_postgres = config.url.is_postgres();
        // SQLite allows one writer at a time.
        let write_connections = if is_postgres { config.write_connections.max(1) } else { 1 };
        let lane = |name, connections, purpose| {
            let limits = PoolLimits { connections, wait: config.wait };
            let pool =
                Pool::new(&config.url, limits, purpose).map_err(ConnectError::Unreachable)?;
            let threads = Threads::new(name, connections);
            let threads = threads.map_err(|error| ConnectError::Unreachable(error.into()))?;
            Ok(Lane { pool, threads })
        };
        let writers = lane("db-write", write_connections, Purpose::Writing)?;
        let readers = lane("db-read", config.read_connections.max(1), Purpose::Reading)?;
        let search_connections = config.search_connections.max(1);
        let searchers = lane("db-search", search_connections, Purpose::Searching)?;
        // Its own connection: all others may be busy with the statements to be cancelled.
        let canceller = is_postgres.then(|| lane("db-cancel", 1, Purpose::Reading)).transpose()?;
        let canceller = canceller.map(|lane| Arc::new(Canceller::new(lane.pool, lane.threads)));
        let checkpointer = match &config.url {
            DatabaseUrl::Sqlite(path) => {
                let started = Checkpointer::start(path);
                Some(started.map_err(|error| ConnectError::Unreachable(error.into()))?)
            }
            DatabaseUrl::Postgres(_) => None,
        };
        let url = config.url.clone();
        let store = Self(Arc::new(Inner {
            url,
            writers,
            readers,
            searchers,
            search_connections,
            text_index: Arc::new(TextIndex::new(config.search_language)),
            canceller,
            checkpointer,
        }));
        // The writer first: it creates a new file, which a reader cannot.
        let writer = store.0.writers.pool.acquire().await;
        drop(writer.map_err(|error| ConnectError::Unreachable(Box::new(error)))?);
        store.check_encoding().await?;
        Ok(store)
    }

    /// Rejects a database whose encoding cannot store every text.
    async fn check_encoding(&self) -> Result<(), ConnectError> {
        let is_postgres = self.is_postgres();
        let (query, needed) = if is_postgres {
            ("SELECT current_setting('server_encoding') AS encoding", "UTF8")
        } else {
            ("SELECT encoding FROM pragma_encoding", "UTF-8")
        };
        let read = move |connection: &mut Connection<'_>| {
            let row: EncodingRow = on!(connection, |c| prepared(query).get_result(c))?;
            Ok(row.encoding)
        };
        let found = self.read("check_encoding", read).await;
        let found = found.map_err(|error| ConnectError::Unreachable(Box::new(error)))?;
        if found == needed {
            Ok(())
        } else {
            Err(ConnectError::Encoding { found, needed, is_postgres })
        }
    }

    /// Returns `true` for a Postgres server, which supports concurrent units of work; a file has
    /// one writer.
    pub fn is_postgres(&self) -> bool {
        self.0.url.is_postgres()
    }

    /// Returns the location of the database.
    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.0.url
    }

    pub(crate) fn text_index(&self) -> &Arc<TextIndex> {
        &self.0.text_index
    }

    pub(crate) fn search_connections(&self) -> usize {
        self.0.search_connections
    }

    pub(crate) fn writers(&self) -> &Pool {
        &self.0.writers.pool
    }

    pub(crate) fn writing_threads(&self) -> &Threads {
        &self.0.writers.threads
    }

    /// Reports that a transaction which wrote was committed.
    pub(crate) fn note_commit(&self) {
        if let Some(checkpointer) = &self.0.checkpointer {
            checkpointer.note_commit();
        }
    }

    /// Runs statements that write in a transaction, which continues to its end if this future is
    /// dropped.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce(&mut Connection<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connection = self.0.writers.pool.acquire().await?;
        let span = tracing::debug_span!("db.unit", unit = name);
        let run = move |connection: &mut Connection<'_>| {
            let result = transaction::write(connection, work);
            let is_kept = transaction::is_usable(connection);
            (result, if is_kept { Recycle::Keep } else { Recycle::Close })
        };
        let ran = self.0.writers.threads.run(move || span.in_scope(|| connection.run(run))).await;
        let ran = ran.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        let ran = ran.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        if ran.is_ok() {
            self.note_commit();
        }
        ran.map_err(StoreError::from)
    }

    /// Runs a query on a read-only connection, and again if an idle connection was lost. Dropping
    /// the future cancels the query.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        name: &'static str,
        query: impl Fn(&mut Connection<'_>) -> Result<T, Failure> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        self.read_on(&self.0.readers, name, query).await
    }

    /// Runs a search like [`Store::read`], but on the connections of searches.
    pub(crate) async fn search<T: Send + 'static>(
        &self,
        name: &'static str,
        query: impl Fn(&mut Connection<'_>) -> Result<T, Failure> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        self.read_on(&self.0.searchers, name, query).await
    }

    async fn read_on<T: Send + 'static>(
        &self,
        lane: &Lane,
        name: &'static str,
        query: impl Fn(&mut Connection<'_>) -> Result<T, Failure> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let query = Arc::new(TypedQuery { query, output: Mutex::default() });
        let measured =
            self.read_once_more(lane, name, Arc::clone(&query) as Arc<dyn ErasedQuery>).await;
        let result = if measured.is_ok() { "ok" } else { "failed" };
        counter!("foretell_database_reads_total", "result" => result).increment(1);
        measured?;
        query.take().ok_or_else(|| StoreError::Unavailable("the query has no output".into()))
    }

    async fn read_once_more(
        &self,
        lane: &Lane,
        name: &'static str,
        query: Arc<dyn ErasedQuery>,
    ) -> Result<(), StoreError> {
        let span = tracing::debug_span!("db.query", query = name);
        match self.query(lane, Arc::clone(&query), span.clone()).await? {
            // A query changes nothing, so it is safe to repeat it. One idle connection that was
            // lost means that the server restarted, and the others are lost too.
            Err(failure) if failure.is_connection_lost() => {
                lane.pool.close_idle();
                self.query(lane, query, span).await?.map_err(StoreError::from)
            }
            result => result.map_err(StoreError::from),
        }
    }

    /// Runs a query on a thread of a lane. Its connection is returned when the query has ended,
    /// which is soon after this future is dropped.
    async fn query(
        &self,
        lane: &Lane,
        query: Arc<dyn ErasedQuery>,
        span: Span,
    ) -> Result<Result<(), Failure>, StoreError> {
        let begun = Instant::now();
        let connection = lane.pool.acquire().await?;
        histogram!("foretell_database_read_wait_seconds").record(begun.elapsed());
        let _in_flight = InFlight::begin();
        let begun = Instant::now();
        let caller = Caller::new(self.0.canceller.clone());
        let running = Arc::clone(&caller.query);
        let work = move |connection: &mut Connection<'_>| {
            // Resets the counter of this thread, which counts the statements of any earlier work.
            statement_count::take();
            let result = running.run(connection, |connection| query.run(connection));
            let result = result.unwrap_or(Err(Failure::Abandoned));
            let is_lost = result.as_ref().is_err_and(Failure::is_connection_lost);
            // A late cancellation must not reach the next query, so the connection is closed.
            let is_safe = match &result {
                Err(failure) => !running.is_abandoned() || failure.is_cancellation(),
                Ok(()) => !running.is_abandoned(),
            };
            let is_kept = transaction::is_usable(connection) && !is_lost && is_safe;
            (
                (result, statement_count::take()),
                if is_kept { Recycle::Keep } else { Recycle::Close },
            )
        };
        let ran = lane.threads.run(move || span.in_scope(|| connection.run(work))).await;
        drop(caller);
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

/// A query without the type of its output, so that the code around it is compiled once instead of
/// for each query.
trait ErasedQuery: Send + Sync {
    /// Runs the query and keeps its output.
    fn run(&self, connection: &mut Connection<'_>) -> Result<(), Failure>;
}

/// A query, and its output once it has run.
struct TypedQuery<Q, T> {
    query: Q,
    output: Mutex<Option<T>>,
}

impl<Q, T> TypedQuery<Q, T> {
    fn take(&self) -> Option<T> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<Q, T> ErasedQuery for TypedQuery<Q, T>
where
    Q: Fn(&mut Connection<'_>) -> Result<T, Failure> + Send + Sync,
    T: Send,
{
    fn run(&self, connection: &mut Connection<'_>) -> Result<(), Failure> {
        let output = (self.query)(connection)?;
        *self.output.lock().unwrap_or_else(PoisonError::into_inner) = Some(output);
        Ok(())
    }
}

#[derive(QueryableByName)]
struct EncodingRow {
    #[diesel(sql_type = Text)]
    encoding: String,
}

/// A query in progress, counted while this exists.
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

/// Hides the password.
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
