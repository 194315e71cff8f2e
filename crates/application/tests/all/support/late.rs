//! Units of work that are committed only when the next one waits for its locks, as when the
//! connection is lost while the database still runs.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foretell_ports::error::StoreError;
use foretell_ports::unit::{ErasedWork, Tx, UnitFuture, UnitOfWork};
use foretell_testkit::intercepted::{InterceptedTx, Interceptor};

/// A store whose units are committed late on request; all clones share one state.
#[derive(Clone)]
pub(crate) struct LateStore {
    inner: Arc<dyn UnitOfWork>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Next units, `true` for those that are late.
    orders: VecDeque<bool>,
    /// The late unit that is not committed yet.
    late: Option<ErasedWork>,
    /// `true` if the running unit has seen the late one end.
    has_ended: bool,
}

impl LateStore {
    pub(crate) fn new(inner: Arc<dyn UnitOfWork>) -> Self {
        Self { inner, state: Arc::default() }
    }

    /// Makes the next units late or not; their callers get an unknown commit.
    pub(crate) fn order(&self, is_late: impl IntoIterator<Item = bool>) {
        self.state().orders.extend(is_late);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits the late unit, as seen by a unit that has waited for its locks.
    fn end_late_unit(&self, tx: &mut dyn Tx) -> Result<(), StoreError> {
        let mut state = self.state();
        state.has_ended = true;
        state.late.as_mut().map_or(Ok(()), |work| work(tx).map(drop))
    }
}

impl UnitOfWork for LateStore {
    fn run_erased<'a>(&'a self, name: &'static str, mut work: ErasedWork) -> UnitFuture<'a> {
        Box::pin(async move {
            if self.state().orders.pop_front() == Some(true) {
                let mut state = self.state();
                (state.late, state.has_ended) = (Some(work), false);
                return Err(StoreError::CommitUnknown(
                    "ordered by a test, before the commit's time".into(),
                ));
            }
            let store = self.clone();
            let waiting = move |tx: &mut dyn Tx| {
                work(&mut InterceptedTx::new(tx, WaitForLate(Some(store.clone()))))
            };
            self.inner.run_erased(name, Box::new(waiting)).await?;
            // A unit that fails rolls the late one's changes back with its own, so the late one
            // then runs again.
            let mut state = self.state();
            if state.has_ended {
                state.late = None;
            }
            Ok(())
        })
    }
}

/// Makes the first lock of a unit wait for the late unit.
struct WaitForLate(Option<LateStore>);

impl Interceptor for WaitForLate {
    fn before_lock(&mut self, tx: &mut dyn Tx) -> Result<(), StoreError> {
        self.0.take().map_or(Ok(()), |store| store.end_late_unit(tx))
    }
}
