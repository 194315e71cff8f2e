//! Units of work: begin, run and commit on one connection, and retry after contention.

use std::hash::{BuildHasher as _, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use foretell_ports::cost::{self, Cost};
use foretell_ports::error::{Chain, StoreError};
use foretell_ports::unit::{Ending, ErasedWork, UnitFuture, UnitOfWork};
use metrics::{counter, histogram};
use tracing::{Instrument as _, Span};

use crate::connection::Connection;
use crate::dialect::pool::{PooledConnection, Recycle};
use crate::dialect::{classify, transaction};
use crate::statement_count;
use crate::store::Store;
use crate::text_index::TextIndex;
use crate::tx::{FirstFailure, UnitTx};

/// Maximum number of attempts before contention is reported.
const MAX_ATTEMPTS: u32 = 8;
/// Pause after the first attempt, in milliseconds; it doubles with each further one.
const FIRST_PAUSE_MS: u64 = 5;

impl UnitOfWork for Store {
    fn run_erased<'a>(&'a self, name: &'static str, work: ErasedWork) -> UnitFuture<'a> {
        let store = self.clone();
        Box::pin(async move {
            // Until here the caller may be dropped; from now on the unit runs to its end in its own
            // task.
            let connection = store.writers().acquire().await?;
            let span = tracing::debug_span!("db.unit", unit = name);
            let begun = Instant::now();
            let task =
                tokio::spawn(run(store, connection, name, work, cost::current()).instrument(span));
            let ended =
                task.await.unwrap_or_else(|error| Err(StoreError::CommitUnknown(Box::new(error))));
            let result = if ended.is_ok() { "ok" } else { "failed" };
            counter!("foretell_database_units_total", "unit" => name, "result" => result)
                .increment(1);
            histogram!("foretell_database_unit_duration_seconds").record(begun.elapsed());
            ended
        })
    }
}

/// Result of one attempt.
enum Attempt {
    /// Final result.
    Done(Result<(), StoreError>),
    /// Contention; nothing was changed.
    Contended(StoreError),
    /// The connection was lost before anything began.
    Stale(StoreError),
}

async fn run(
    store: Store,
    mut connection: PooledConnection,
    name: &'static str,
    mut work: ErasedWork,
    cost: Option<Arc<Cost>>,
) -> Result<(), StoreError> {
    let mut attempt_number = 1;
    loop {
        let span = Span::current();
        let begun = Instant::now();
        let index = Arc::clone(store.text_index());
        let run = move |connection: &mut Connection<'_>| {
            statement_count::take();
            let attempt = attempt(connection, &index, &mut work);
            let is_unknown = matches!(attempt, Attempt::Done(Err(StoreError::CommitUnknown(_))));
            // After an unknown commit the connection may still be inside a transaction that holds
            // locks: closing it ends both.
            let is_kept = !is_unknown && transaction::is_usable(connection);
            (
                (attempt, work, statement_count::take()),
                if is_kept { Recycle::Keep } else { Recycle::Close },
            )
        };
        let ran = store.writing_threads().run(move || span.in_scope(|| connection.run(run))).await;
        let ran = ran.map_err(|error| StoreError::CommitUnknown(Box::new(error)))?;
        let ran = ran.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        let (attempt, returned, statements) = ran;
        work = returned;
        if let Some(cost) = &cost {
            cost.add(statements, begun.elapsed());
        }
        match attempt {
            Attempt::Done(result) => {
                if result.is_ok() {
                    store.note_commit();
                }
                return result;
            }
            Attempt::Contended(error) | Attempt::Stale(error) if attempt_number == MAX_ATTEMPTS => {
                return Err(error);
            }
            Attempt::Contended(error) => {
                tracing::debug!(
                    unit = name, attempt_number, error = %Chain(&error),
                    "unit of work lost to contention, retrying"
                );
                tokio::time::sleep(pause_after(attempt_number)).await;
            }
            Attempt::Stale(error) => {
                tracing::debug!(
                    unit = name, error = %Chain(&error),
                    "idle database connection was lost, retrying on a new one"
                );
                store.writers().close_idle();
            }
        }
        attempt_number += 1;
        connection = store.writers().acquire().await?;
    }
}

/// Returns between half and one and a half times the doubled pause (jitter), so that units that
/// collided do not collide again.
fn pause_after(attempt_number: u32) -> Duration {
    let pause_us = (FIRST_PAUSE_MS * 1_000) << (attempt_number - 1);
    let chance = RandomState::new().hash_one(attempt_number) % pause_us;
    Duration::from_micros(pause_us / 2 + chance)
}

fn attempt(connection: &mut Connection<'_>, index: &TextIndex, work: &mut ErasedWork) -> Attempt {
    if let Err(error) = transaction::begin(connection) {
        let is_lost = classify::is_connection_lost(&error);
        return match classify::statement(error) {
            error @ StoreError::Contention(_) => Attempt::Contended(error),
            // Nothing was sent yet, so running the unit again is safe.
            error if is_lost => Attempt::Stale(error),
            error => Attempt::Done(Err(error)),
        };
    }
    let mut tx = UnitTx::new(connection, index);
    let outcome = catch_unwind(AssertUnwindSafe(|| work(&mut tx)));
    let failed = tx.failed();
    let result = match outcome {
        // Only if no statement has failed: Postgres would silently roll back.
        Ok(Ok(Ending::Commit)) if failed.is_none() => return commit(connection),
        Ok(Ok(Ending::RollBack)) if failed.is_none() => Ok(()),
        Ok(Ok(_)) => {
            Err(StoreError::Rejected("the unit of work ignored a failed statement".into()))
        }
        Ok(Err(error)) => Err(error),
        Err(panic) => Err(StoreError::Rejected(
            format!("a unit of work panicked: {}", message_of(&*panic)).into(),
        )),
    };
    if let Err(roll_back_error) = transaction::roll_back(connection) {
        tracing::debug!(%roll_back_error, "rollback failed, closing the connection");
    }
    match result {
        Err(error @ StoreError::Contention(_)) => Attempt::Contended(error),
        // The unit may have replaced the error by one of its own; the first failure decides if it
        // runs again.
        Err(error) if failed == Some(FirstFailure::Contention) => Attempt::Contended(error),
        result => Attempt::Done(result),
    }
}

fn commit(connection: &mut Connection<'_>) -> Attempt {
    let Err(error) = transaction::commit(connection) else {
        return Attempt::Done(Ok(()));
    };
    match classify::commit(error, transaction::is_usable(connection)) {
        error @ StoreError::Contention(_) => Attempt::Contended(error),
        error => Attempt::Done(Err(error)),
    }
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_vary() {
        for attempt_number in 1..MAX_ATTEMPTS {
            let base = Duration::from_millis(FIRST_PAUSE_MS << (attempt_number - 1));
            let pauses: Vec<_> = (0..20).map(|_| pause_after(attempt_number)).collect();
            assert!(
                pauses.iter().all(|pause| (base / 2..base * 3 / 2).contains(pause)),
                "{pauses:?}"
            );
            assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{pauses:?}");
        }
    }
}
