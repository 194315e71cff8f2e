//! Deterministic overlapping of units.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use foretell_ports::error::StoreError;
use foretell_ports::unit::Tx;

use super::fixture::Fixture;

/// Timeout of each wait.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Time for which a unit holds its locks to let another one slip in. An adapter that blocks the
/// other one costs this much time; no result depends on it.
const MOMENT: Duration = Duration::from_millis(300);

/// A one-time event that threads and tasks can wait for.
#[derive(Debug, Clone, Default)]
pub(super) struct Latch(Arc<(Mutex<bool>, Condvar)>);

impl Latch {
    /// Signals the event.
    pub(super) fn open(&self) {
        let (is_open, changed) = &*self.0;
        *is_open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    /// Blocks until the event, at most for `limit`. Returns `true` if it has happened.
    pub(super) fn wait(&self, limit: Duration) -> bool {
        let (is_open, changed) = &*self.0;
        let guard = is_open.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(guard, limit, |is_open| !*is_open);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits until the event.
    pub(super) async fn opened(&self) {
        let latch = self.clone();
        let waiting = tokio::task::spawn_blocking(move || latch.wait(PATIENCE));
        assert!(
            waiting.await.expect("waiting does not panic"),
            "it has not happened for {PATIENCE:?}"
        );
    }
}

/// Meeting point of two units: each signals when it has read (or written) the shared row.
pub(super) struct Meeting {
    mine: Latch,
    other: Option<Latch>,
}

impl Meeting {
    /// Signals that this unit has arrived. The first one then waits a moment for the second, which
    /// cannot arrive if the adapter blocks it.
    pub(super) fn arrive(&self) {
        self.mine.open();
        if let Some(other) = &self.other {
            other.wait(MOMENT);
        }
    }
}

/// Runs two units, the second of which starts once the first has arrived at the meeting and still
/// holds whatever it has locked.
pub(super) async fn overlap<T, F, S>(
    fixture: &Fixture,
    mut first: F,
    mut second: S,
) -> [Result<T, StoreError>; 2]
where
    T: Send + 'static,
    F: FnMut(&mut dyn Tx, &Meeting) -> Result<T, StoreError> + Send + 'static,
    S: FnMut(&mut dyn Tx, &Meeting) -> Result<T, StoreError> + Send + 'static,
{
    let (arrived, other) = (Latch::default(), Latch::default());
    let meeting = Meeting { mine: arrived.clone(), other: Some(other.clone()) };
    let store = Arc::clone(&fixture.ports.uow);
    let one = tokio::spawn(async move { store.run("first", move |tx| first(tx, &meeting)).await });
    arrived.opened().await;
    let meeting = Meeting { mine: other, other: None };
    let two = fixture.ports.uow.run("second", move |tx| second(tx, &meeting)).await;
    [one.await.expect("the first unit's task does not panic"), two]
}
