//! Cancels queries whose callers are gone: the request has timed out, or the client has
//! disconnected.
//!
//! Postgres cancels the statement when a second connection asks it to. SQLite's interrupt needs
//! unsafe code, so statements that may read many rows call [`foretell_go_on`] for each row, which
//! fails after a cancellation.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use diesel::prelude::*;
use diesel::serialize::{IsNull, Output, ToSql};
use diesel::sql_types::{Bool, Integer};
use diesel::sqlite::Sqlite;
use diesel::{SqliteConnection, serialize};
use foretell_ports::error::{Chain, StoreError};
use metrics::counter;
use tokio::runtime::Handle;
use tokio::time::sleep;

use crate::connection::Connection;
use crate::dialect::classify;
use crate::dialect::pool::{Pool, Recycle};
use crate::dialect::session;
use crate::prepared::prepared;
use crate::threads::Threads;

/// Number of cancellation requests to Postgres, and the pause after each.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

thread_local! {
    /// Query that this thread is running.
    static CURRENT: RefCell<Option<Arc<Query>>> = const { RefCell::new(None) };
}

/// A query, shared by its caller and the thread that runs it.
#[derive(Debug, Default)]
pub(crate) struct Query {
    is_abandoned: AtomicBool,
    stage: Mutex<Stage>,
}

#[derive(Debug, Clone, Copy, Default)]
enum Stage {
    #[default]
    Waiting,
    /// Running, on this backend process if it is Postgres.
    Running(Option<i32>),
    Ended,
}

impl Query {
    /// Returns `true` if no caller waits for the result.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.is_abandoned.load(Ordering::Acquire)
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` unless it was abandoned, and allows it to be cancelled meanwhile.
    pub(crate) fn run<T>(
        self: &Arc<Self>,
        connection: &mut Connection<'_>,
        work: impl FnOnce(&mut Connection<'_>) -> T,
    ) -> Option<T> {
        let backend = match connection {
            Connection::Sqlite(_) => None,
            Connection::Postgres(c) => session::backend_of(c),
        };
        {
            // Checked and set under one lock: a caller that leaves now either prevents the start,
            // or sees the backend to cancel.
            let mut stage = self.stage();
            if self.is_abandoned() {
                return None;
            }
            *stage = Stage::Running(backend);
        }
        // Ends also if the work panics, since the thread is reused.
        let _ending = Ending(self);
        CURRENT.set(Some(Arc::clone(self)));
        Some(work(connection))
    }

    /// Marks the query as abandoned. Returns the backend process that runs it.
    fn abandon(&self) -> Option<i32> {
        let stage = self.stage();
        self.is_abandoned.store(true, Ordering::Release);
        match *stage {
            Stage::Running(backend) => {
                counter!("foretell_database_reads_cancelled_total").increment(1);
                backend
            }
            Stage::Waiting | Stage::Ended => None,
        }
    }

    fn is_running(&self) -> bool {
        matches!(*self.stage(), Stage::Running(_))
    }
}

struct Ending<'a>(&'a Query);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        CURRENT.set(None);
        *self.0.stage() = Stage::Ended;
    }
}

/// Caller of a query. Dropping it before the query has ended cancels the query.
pub(crate) struct Caller {
    pub(crate) query: Arc<Query>,
    canceller: Option<Arc<Canceller>>,
}

impl Caller {
    pub(crate) fn new(canceller: Option<Arc<Canceller>>) -> Self {
        Self { query: Arc::default(), canceller }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let backend = self.query.abandon();
        if let (Some(backend), Some(canceller)) = (backend, self.canceller.take()) {
            canceller.cancel(backend, Arc::clone(&self.query));
        }
    }
}

/// Cancels statements of Postgres, with its own connection.
pub(crate) struct Canceller {
    pool: Pool,
    threads: Threads,
}

impl Canceller {
    pub(crate) const fn new(pool: Pool, threads: Threads) -> Self {
        Self { pool, threads }
    }

    /// Asks Postgres to cancel the statement of a backend process until the query has ended: a
    /// request between two statements has no effect. It runs in the background; if it fails, the
    /// statement ends at its timeout.
    fn cancel(self: Arc<Self>, backend: i32, query: Arc<Query>) {
        // Outside a runtime the process is about to end.
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            for _ in 0..ATTEMPTS {
                if let Err(error) = self.send(backend, Arc::clone(&query)).await {
                    tracing::debug!(error = %Chain(&error), "postgres statement was not cancelled");
                }
                sleep(PAUSE).await;
                if !query.is_running() {
                    return;
                }
            }
        });
    }

    async fn send(&self, backend: i32, query: Arc<Query>) -> Result<(), StoreError> {
        const CANCEL: &str = "SELECT pg_cancel_backend(?)";
        let connection = self.pool.acquire().await?;
        let cancel = move |connection: &mut Connection<'_>| {
            let sent = match connection {
                // Checked on the thread, right before sending: the backend may run another query by
                // now.
                Connection::Postgres(c) if query.is_running() => {
                    prepared(CANCEL).bind::<Integer, _>(backend).execute(*c)
                }
                _ => Ok(0),
            };
            let recycle = if sent.is_ok() { Recycle::Keep } else { Recycle::Close };
            (sent, recycle)
        };
        let sent = self.threads.run(move || connection.run(cancel)).await;
        let sent = sent.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        let sent = sent.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        sent.map(drop).map_err(classify::statement)
    }
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// True, or an error if the caller of the query is gone. For each row that a statement for
    /// SQLite reads.
    fn foretell_go_on() -> Bool;
}

/// The result of [`foretell_go_on`].
#[derive(Debug)]
struct GoOn;

impl ToSql<Bool, Sqlite> for GoOn {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        if CURRENT.with_borrow(|query| query.as_ref().is_some_and(|query| query.is_abandoned())) {
            return Err("the query was cancelled".into());
        }
        out.set_value(1);
        Ok(IsNull::No)
    }
}

/// Defines the SQL function [`foretell_go_on`] on a connection.
pub(crate) fn define_go_on(connection: &mut SqliteConnection) -> QueryResult<()> {
    foretell_go_on_utils::register_nondeterministic_impl(connection, || GoOn)
}
