//! Copies the write-ahead log of SQLite into the database file, concurrently with the writer.
//!
//! Otherwise the commit that fills the log copies all of it, and all commands wait for tens of
//! milliseconds. The writer still copies the rest when the log is full, since only a completely
//! copied log can be reused from its start.

use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use diesel::SqliteConnection;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Integer;
use foretell_ports::error::Cause;

use crate::prepared::prepared;

/// Pause after a checkpoint: each one flushes two files, so many commits should share it.
const PAUSE: Duration = Duration::from_secs(1);
/// Pause while the log grows quickly, so that the writer never has much left to copy.
const BUSY_PAUSE: Duration = Duration::from_millis(50);
/// Number of pages of a log that has grown quickly, 4 MB.
const BUSY_PAGES: i32 = 1_000;

/// The log is flushed before the file is written, like by the writer. A checkpoint waits for no
/// lock: if another one runs, it does the same work.
const SET_UP: &str = "PRAGMA busy_timeout = 0; PRAGMA synchronous = FULL;";

/// Thread that checkpoints one file after commits.
pub(crate) struct Checkpointer {
    signal: Arc<Signal>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the thread, which opens its connection after the first commit.
    pub(crate) fn start(path: &Path) -> io::Result<Self> {
        let signal = Arc::new(Signal::default());
        let (path, received) = (path.to_owned(), Arc::clone(&signal));
        let thread = Builder::new().name("db-checkpoint".to_owned());
        let thread = thread.spawn(move || run(&path, &received))?;
        Ok(Self { signal, thread: Some(thread) })
    }

    /// Reports a commit.
    pub(crate) fn note_commit(&self) {
        self.signal.update(|state| &mut state.has_commits);
    }
}

impl Drop for Checkpointer {
    /// Waits for the thread: the last connection that closes removes the log.
    fn drop(&mut self) {
        self.signal.update(|state| &mut state.is_stopped);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Messages to the thread.
#[derive(Default)]
struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    has_commits: bool,
    is_stopped: bool,
}

impl Signal {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a flag, and wakes the thread if the flag was not set.
    fn update(&self, flag: impl FnOnce(&mut State) -> &mut bool) {
        if !std::mem::replace(flag(&mut self.lock()), true) {
            self.changed.notify_one();
        }
    }

    /// Waits for a commit since the last call; returns `false` if the thread must stop.
    fn wait_for_commit(&self) -> bool {
        let is_idle = |state: &mut State| !state.has_commits && !state.is_stopped;
        let woken = self.changed.wait_while(self.lock(), is_idle);
        let mut state = woken.unwrap_or_else(PoisonError::into_inner);
        state.has_commits = false;
        !state.is_stopped
    }

    /// Pauses, but no longer than until the thread must stop.
    fn pause(&self, pause: Duration) {
        let is_running = |state: &mut State| !state.is_stopped;
        drop(self.changed.wait_timeout_while(self.lock(), pause, is_running));
    }
}

fn run(path: &Path, signal: &Signal) {
    let mut connection = None;
    while signal.wait_for_commit() {
        let pause = match checkpoint(path, &mut connection) {
            Ok(log_pages) if log_pages >= BUSY_PAGES => BUSY_PAUSE,
            Ok(_) => PAUSE,
            Err(error) => {
                // Nothing is lost: the writer copies the log once it is full.
                tracing::warn!(%error, "sqlite checkpoint failed, retrying after a later commit");
                connection = None;
                PAUSE
            }
        };
        signal.pause(pause);
    }
}

#[derive(QueryableByName)]
struct CheckpointRow {
    /// Number of pages in the log, copied or not; -1 if another checkpoint runs.
    #[diesel(sql_type = Integer)]
    log: i32,
}

/// Copies the pages that no reader needs any more, and returns the number of pages of the log.
fn checkpoint(path: &Path, connection: &mut Option<SqliteConnection>) -> Result<i32, Cause> {
    let open = match connection {
        Some(open) => open,
        None => connection.insert(connect(path)?),
    };
    let row: CheckpointRow = prepared("PRAGMA wal_checkpoint(PASSIVE)").get_result(open)?;
    Ok(row.log)
}

fn connect(path: &Path) -> Result<SqliteConnection, Cause> {
    let mut connection =
        SqliteConnection::establish(path.to_str().ok_or("the path is not UTF-8")?)?;
    connection.batch_execute(SET_UP)?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commit_is_checkpointed_before_the_log_is_full() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let mut writer = connect(&path).unwrap();
        writer
            .batch_execute(
                "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (x);",
            )
            .unwrap();
        let size = std::fs::metadata(&path).unwrap().len();
        let checkpointer = Checkpointer::start(&path).unwrap();
        writer.batch_execute("INSERT INTO t VALUES (zeroblob(100000))").unwrap();
        checkpointer.note_commit();
        // Waits for the first checkpoint, which nothing delays.
        while std::fs::metadata(&path).unwrap().len() <= size {
            std::thread::yield_now();
        }
        drop(checkpointer);
        drop(writer);
        assert!(!folder.path().join("test.db-wal").exists());
    }
}
