//! Backend processes of the connections to Postgres: another connection cancels a statement by the
//! process that runs it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use diesel::PgConnection;

/// Backend process of each open connection to Postgres, by the address of the connection, which
/// does not move in its pool: Diesel has no field for it. An address that is reused belongs to a
/// new connection, whose setup replaces the entry.
static BACKENDS: Mutex<BTreeMap<usize, i32>> = Mutex::new(BTreeMap::new());

/// Records the backend process of a new connection.
pub(crate) fn record(connection: &PgConnection, backend: i32) {
    lock().insert(std::ptr::from_ref(connection).addr(), backend);
}

/// Returns the backend process of a connection.
pub(crate) fn find(connection: &PgConnection) -> Option<i32> {
    lock().get(&std::ptr::from_ref(connection).addr()).copied()
}

fn lock() -> MutexGuard<'static, BTreeMap<usize, i32>> {
    BACKENDS.lock().unwrap_or_else(PoisonError::into_inner)
}
