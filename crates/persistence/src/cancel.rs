//! Cancels queries whose callers are gone: the request has timed out, or the client has
//! disconnected.
//!
//! Postgres cancels the statement when a second connection asks it to. SQLite's interrupt needs
//! unsafe code, so statements that may read many rows call `foretell_go_on` for each row, which
//! fails after a cancellation.

pub(crate) mod query;

use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::Integer;
use foretell_ports::error::{Chain, StoreError};
use tokio::runtime::Handle;
use tokio::time::sleep;

use self::query::Query;
use crate::connection::Connection;
use crate::dialect::classify;
use crate::dialect::pool::{Pool, Recycle};
use crate::prepared::prepared;
use crate::threads::Threads;

/// Number of cancellation requests to Postgres, and the pause after each.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

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
