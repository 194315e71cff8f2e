//! Fault injection: a wrapper around any store whose units fail like real ones, when a test says
//! so.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foretell_ports::error::StoreError;
use foretell_ports::unit::{ErasedWork, Tx, UnitFuture, UnitOfWork};
use tokio::sync::Semaphore;

use crate::intercepted::{InterceptedTx, Interceptor};

pub use crate::intercepted::Insert;

/// Timeout of [`Gate::arrived`].
const PATIENCE: Duration = Duration::from_secs(20);

/// Fault of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is not begun: [`StoreError::Contention`].
    Contention,
    /// It is not begun: [`StoreError::Unavailable`].
    Unavailable,
    /// It is committed, and the response is lost: [`StoreError::CommitUnknown`].
    LostAfterCommit,
    /// It is run and rolled back, and the response is lost: [`StoreError::CommitUnknown`].
    LostBeforeCommit,
    /// It is run, rolled back and run again from the start, as adapters do after contention.
    Rerun,
    /// It begins this much later.
    Delay(Duration),
}

type PoisonedName = Box<dyn Fn(&'static str) -> bool + Send>;
type PoisonedRow = Arc<dyn Fn(Insert<'_>) -> bool + Send + Sync>;

/// A store whose units fail on request; otherwise they are the inner store's. All clones share one
/// state.
#[derive(Clone)]
pub struct FaultyStore {
    inner: Arc<dyn UnitOfWork>,
    script: Arc<Mutex<Script>>,
}

#[derive(Default)]
struct Script {
    names: Vec<&'static str>,
    faults: VecDeque<(Option<&'static str>, Fault)>,
    gates: Vec<(usize, Arc<Doors>)>,
    poisoned_names: Vec<PoisonedName>,
    poisoned_rows: Vec<PoisonedRow>,
}

impl FaultyStore {
    /// Creates a wrapper around `inner` without any fault.
    pub fn new(inner: Arc<dyn UnitOfWork>) -> Self {
        Self { inner, script: Arc::default() }
    }

    /// Injects this fault into the next unit without an earlier fault.
    pub fn fail_next(&self, fault: Fault) {
        self.script().faults.push_back((None, fault));
    }

    /// Injects this fault into the next unit with this name without an earlier fault.
    pub fn fail_next_named(&self, name: &'static str, fault: Fault) {
        self.script().faults.push_back((Some(name), fault));
    }

    /// Rejects from now on every unit whose name `is_poisoned` selects.
    pub fn reject_units(&self, is_poisoned: impl Fn(&'static str) -> bool + Send + 'static) {
        self.script().poisoned_names.push(Box::new(is_poisoned));
    }

    /// Rejects from now on every unit that inserts a row that `is_poisoned` selects, like a row
    /// that violates a constraint.
    pub fn reject_inserts(&self, is_poisoned: impl Fn(Insert<'_>) -> bool + Send + Sync + 'static) {
        self.script().poisoned_rows.push(Arc::new(is_poisoned));
    }

    /// Removes all faults; units that are held stay held.
    pub fn heal(&self) {
        let mut script = self.script();
        script.faults.clear();
        script.poisoned_names.clear();
        script.poisoned_rows.clear();
    }

    /// Holds the next unit before it begins, until the gate is released or dropped.
    pub fn hold_next(&self) -> Gate {
        self.hold_nth(1)
    }

    /// Holds the `number`th unit from now, the next being 1, before it begins.
    pub fn hold_nth(&self, number: usize) -> Gate {
        let doors = Arc::new(Doors::default());
        let mut script = self.script();
        let unit = script.names.len() + number;
        script.gates.push((unit, Arc::clone(&doors)));
        Gate(doors)
    }

    /// Returns the names of all units so far, in order, including those that failed.
    pub fn names(&self) -> Vec<&'static str> {
        self.script().names.clone()
    }

    /// Returns the number of units with this name so far, including those that failed.
    pub fn count(&self, name: &str) -> usize {
        self.script().names.iter().filter(|known| **known == name).count()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Planned fault of one unit.
struct Plan {
    doors: Option<Arc<Doors>>,
    is_rejected: bool,
    fault: Option<Fault>,
}

impl Script {
    fn plan(&mut self, name: &'static str) -> Plan {
        self.names.push(name);
        let gate = self.gates.iter().position(|(unit, _)| *unit == self.names.len());
        let fits = |(wanted, _): &(Option<&'static str>, Fault)| {
            wanted.is_none_or(|wanted| wanted == name)
        };
        let fault = self.faults.iter().position(fits);
        Plan {
            doors: gate.map(|index| self.gates.swap_remove(index).1),
            is_rejected: self.poisoned_names.iter().any(|is_poisoned| is_poisoned(name)),
            fault: fault.and_then(|index| self.faults.remove(index)).map(|(_, fault)| fault),
        }
    }
}

impl UnitOfWork for FaultyStore {
    fn run_erased<'a>(&'a self, name: &'static str, work: ErasedWork) -> UnitFuture<'a> {
        Box::pin(async move {
            let Plan { doors, is_rejected, fault } = self.script().plan(name);
            if let Some(doors) = doors {
                doors.arrived.close();
                doors.released.pass().await;
            }
            if is_rejected {
                return Err(StoreError::Rejected("a test rejects units of this name".into()));
            }
            let work = watched(work, self.script().poisoned_rows.clone());
            self.run_with(name, work, fault).await
        })
    }
}

impl FaultyStore {
    async fn run_with(
        &self,
        name: &'static str,
        work: ErasedWork,
        fault: Option<Fault>,
    ) -> Result<(), StoreError> {
        match fault {
            Some(Fault::Contention) => {
                return Err(StoreError::Contention("ordered by a test".into()));
            }
            Some(Fault::Unavailable) => {
                return Err(StoreError::Unavailable("ordered by a test".into()));
            }
            Some(Fault::LostBeforeCommit) => {
                return self.inner.run_erased(name, losing(work)).await;
            }
            Some(Fault::Rerun) => return self.run_again(name, work).await,
            Some(Fault::Delay(delay)) => tokio::time::sleep(delay).await,
            Some(Fault::LostAfterCommit) | None => {}
        }
        self.inner.run_erased(name, work).await?;
        if fault == Some(Fault::LostAfterCommit) {
            return Err(StoreError::CommitUnknown("ordered by a test, after the commit".into()));
        }
        Ok(())
    }

    async fn run_again(&self, name: &'static str, work: ErasedWork) -> Result<(), StoreError> {
        let work = Arc::new(Mutex::new(work));
        let shared = |work: &Arc<Mutex<ErasedWork>>| -> ErasedWork {
            let work = Arc::clone(work);
            Box::new(move |tx| work.lock().unwrap_or_else(PoisonError::into_inner)(tx))
        };
        match self.inner.run_erased(name, losing(shared(&work))).await {
            Err(StoreError::CommitUnknown(_)) => self.inner.run_erased(name, shared(&work)).await,
            failed => failed,
        }
    }
}

/// Returns the work, after which the unit is rolled back and its response lost.
fn losing(mut work: ErasedWork) -> ErasedWork {
    Box::new(move |tx| {
        work(tx)?;
        Err(StoreError::CommitUnknown("ordered by a test, before the commit".into()))
    })
}

/// Rejects the rows that one of these functions selects.
struct RejectedRows<'a>(&'a [PoisonedRow]);

impl Interceptor for RejectedRows<'_> {
    fn before_insert(&mut self, row: Insert<'_>) -> Result<(), StoreError> {
        if self.0.iter().any(|is_poisoned| is_poisoned(row)) {
            return Err(StoreError::Rejected("a test rejects this row".into()));
        }
        Ok(())
    }
}

fn watched(mut work: ErasedWork, poisoned: Vec<PoisonedRow>) -> ErasedWork {
    Box::new(move |tx: &mut dyn Tx| work(&mut InterceptedTx::new(tx, RejectedRows(&poisoned))))
}

/// Two doors that open once.
#[derive(Debug)]
struct Doors {
    arrived: Semaphore,
    released: Semaphore,
}

impl Default for Doors {
    fn default() -> Self {
        Self { arrived: Semaphore::new(0), released: Semaphore::new(0) }
    }
}

/// A door is a semaphore without permits: everyone who acquires one waits until it is closed.
trait Pass {
    async fn pass(&self);
}

impl Pass for Semaphore {
    async fn pass(&self) {
        let _closed = self.acquire().await;
    }
}

/// Holds a unit until it is released or dropped.
#[derive(Debug)]
pub struct Gate(Arc<Doors>);

impl Gate {
    /// Waits until the unit has arrived at the gate.
    ///
    /// # Panics
    /// If no unit arrives for 20 seconds.
    pub async fn arrived(&self) {
        let arrived = tokio::time::timeout(PATIENCE, self.0.arrived.pass()).await;
        arrived.expect("a unit comes to the gate");
    }

    /// Releases the unit; the same as dropping the gate.
    pub fn release(self) {
        drop(self);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.0.released.close();
    }
}

#[cfg(test)]
mod tests;
