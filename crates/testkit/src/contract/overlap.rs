//! Units that overlap on purpose.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use foretell_ports::error::StoreError;
use foretell_ports::unit::Tx;

use super::scene::Scene;

/// How long a test waits for what must happen.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// How long a unit holds its locks to give another one the chance to slip in. An adapter that keeps the
/// other one out costs this much time; no result depends on it.
const MOMENT: Duration = Duration::from_millis(300);

/// Something that happens once, for threads and tasks to wait for.
#[derive(Debug, Clone, Default)]
pub(super) struct Latch(Arc<(Mutex<bool>, Condvar)>);

impl Latch {
    /// Says that it has happened.
    pub(super) fn open(&self) {
        let (is_open, changed) = &*self.0;
        *is_open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    /// Blocks until it has happened, but no longer than `limit`, and says whether it has.
    pub(super) fn wait(&self, limit: Duration) -> bool {
        let (is_open, changed) = &*self.0;
        let guard = is_open.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(guard, limit, |is_open| !*is_open);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits until it has happened.
    pub(super) async fn opened(&self) {
        let latch = self.clone();
        let waiting = tokio::task::spawn_blocking(move || latch.wait(PATIENCE));
        assert!(waiting.await.expect("waiting does not panic"), "it has not happened for {PATIENCE:?}");
    }
}

/// Where two units meet: each says when it has read (or written) what both are about.
pub(super) struct Meeting {
    mine: Latch,
    other: Option<Latch>,
}

impl Meeting {
    /// Says that this unit is there. The first one then waits a moment for the second, which cannot come if
    /// the adapter keeps it out.
    pub(super) fn arrive(&self) {
        self.mine.open();
        if let Some(other) = &self.other {
            other.wait(MOMENT);
        }
    }
}

/// Runs two units, the second of which starts once the first has arrived at the meeting and still holds
/// whatever it has locked.
pub(super) async fn overlap<T, F, S>(scene: &Scene, mut first: F, mut second: S) -> [Result<T, StoreError>; 2]
where
    T: Send + 'static,
    F: FnMut(&mut dyn Tx, &Meeting) -> Result<T, StoreError> + Send + 'static,
    S: FnMut(&mut dyn Tx, &Meeting) -> Result<T, StoreError> + Send + 'static,
{
    let (arrived, other) = (Latch::default(), Latch::default());
    let meeting = Meeting { mine: arrived.clone(), other: Some(other.clone()) };
    let store = Arc::clone(&scene.ports.uow);
    let one = tokio::spawn(async move { store.run("first", move |tx| first(tx, &meeting)).await });
    arrived.opened().await;
    let meeting = Meeting { mine: other, other: None };
    let two = scene.ports.uow.run("second", move |tx| second(tx, &meeting)).await;
    [one.await.expect("the first unit's task does not panic"), two]
}
