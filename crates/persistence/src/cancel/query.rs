//! A query that can be abandoned, and the SQL function by which `SQLite` notices it.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diesel::serialize::{IsNull, Output, ToSql};
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, SqliteConnection, serialize};
use metrics::counter;

use crate::connection::Connection;
use crate::dialect::backends;

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
            Connection::Postgres(c) => backends::find(c),
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
    pub(super) fn abandon(&self) -> Option<i32> {
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

    /// Returns `true` while a thread runs it.
    pub(super) fn is_running(&self) -> bool {
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
