//! Tests of each fault: its effect on a unit, and the stored data afterwards.

use foretell_domain::id::UserId;
use foretell_ports::idempotency::IdempotencyQueries as _;

use super::*;
use crate::{Factory, MemoryStore};

/// A faulty store over one in memory, and outcomes to store in it.
struct Bench {
    memory: MemoryStore,
    store: FaultyStore,
    make: Factory,
}

impl Bench {
    fn new() -> Self {
        let memory = MemoryStore::new();
        let store = FaultyStore::new(Arc::new(memory.clone()));
        Self { memory, store, make: Factory::new(1) }
    }

    fn outcome(&self, key: &str) -> StoredOutcome {
        self.make.outcome(UserId::from_u128(1), key)
    }

    /// Stores an outcome with this key in a unit with this name, and returns how often the work
    /// ran.
    async fn write(&self, name: &'static str, key: &str) -> Result<usize, StoreError> {
        let (outcome, mut runs) = (self.outcome(key), 0);
        let store: &dyn UnitOfWork = &self.store;
        let work = move |tx: &mut dyn Tx| {
            runs += 1;
            tx.insert_outcomes(std::slice::from_ref(&outcome))?;
            Ok(runs)
        };
        store.run(name, work).await
    }

    async fn is_stored(&self, key: &str) -> bool {
        self.memory.find_outcome(&self.outcome(key).key).await.unwrap().is_some()
    }
}

#[tokio::test]
async fn fault_affects_one_unit() {
    let bench = Bench::new();
    bench.store.fail_next(Fault::Contention);
    bench.store.fail_next(Fault::Unavailable);
    assert!(matches!(bench.write("w", "a").await, Err(StoreError::Contention(_))));
    assert!(matches!(bench.write("w", "a").await, Err(StoreError::Unavailable(_))));
    assert!(!bench.is_stored("a").await);
    assert_eq!(bench.write("w", "a").await.unwrap(), 1);
    assert!(bench.is_stored("a").await);
}

#[tokio::test]
async fn lost_response_is_independent_of_commit() {
    let bench = Bench::new();
    for (fault, key, is_stored) in
        [(Fault::LostAfterCommit, "after", true), (Fault::LostBeforeCommit, "before", false)]
    {
        bench.store.fail_next(fault);
        assert!(matches!(bench.write("w", key).await, Err(StoreError::CommitUnknown(_))), "{fault:?}");
        assert_eq!(bench.is_stored(key).await, is_stored, "{fault:?}");
    }
}

#[tokio::test]
async fn rerun_starts_from_same_state() {
    let bench = Bench::new();
    bench.store.fail_next(Fault::Rerun);
    assert_eq!(bench.write("w", "a").await.unwrap(), 2, "the first run left no outcome behind");
    assert_eq!(bench.store.names(), ["w"]);
}

#[tokio::test]
async fn named_fault_waits_for_its_unit() {
    let bench = Bench::new();
    bench.store.fail_next_named("pay", Fault::Contention);
    bench.store.reject_units(|name| name == "bad");
    assert!(bench.write("other", "a").await.is_ok());
    assert!(matches!(bench.write("bad", "b").await, Err(StoreError::Rejected(_))));
    assert!(matches!(bench.write("pay", "c").await, Err(StoreError::Contention(_))));
    assert!(bench.write("pay", "c").await.is_ok());
    assert_eq!((bench.store.count("pay"), bench.store.count("none")), (2, 0));
    assert_eq!(bench.store.names(), ["other", "bad", "pay", "pay"]);
}

#[tokio::test]
async fn poisoned_rows_are_rejected_until_healed() {
    let bench = Bench::new();
    bench
        .store
        .reject_inserts(|row| matches!(row, Insert::Outcome(outcome) if outcome.key.key.starts_with("bad")));
    assert!(bench.write("w", "good").await.is_ok());
    assert!(matches!(bench.write("w", "bad").await, Err(StoreError::Rejected(_))));
    bench.store.heal();
    assert!(bench.write("w", "bad").await.is_ok());
}

#[tokio::test]
async fn held_unit_begins_when_released() {
    let bench = Arc::new(Bench::new());
    let gate = bench.store.hold_nth(2);
    bench.write("w", "first").await.unwrap();
    let writer = Arc::clone(&bench);
    let held = tokio::spawn(async move { writer.write("w", "second").await });
    gate.arrived().await;
    bench.write("w", "third").await.unwrap();
    assert!(bench.is_stored("third").await && !bench.is_stored("second").await);
    gate.release();
    held.await.unwrap().unwrap();
    assert!(bench.is_stored("second").await);
}

#[tokio::test]
async fn delayed_unit_is_committed() {
    let bench = Bench::new();
    bench.store.fail_next(Fault::Delay(Duration::from_millis(1)));
    bench.write("w", "a").await.unwrap();
    assert!(bench.is_stored("a").await);
}
