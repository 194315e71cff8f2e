//! Tests of each fault: its effect on a unit, and the stored data afterwards.

use foretell_domain::id::UserId;
use foretell_ports::idempotency::{IdempotencyQueries as _, StoredOutcome};

use super::*;
use crate::{Factory, MemoryStore};

/// A faulty store over one in memory, and outcomes to store in it.
struct Fixture {
    memory: MemoryStore,
    store: FaultyStore,
    make: Factory,
}

impl Fixture {
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
    let fixture = Fixture::new();
    fixture.store.fail_next(Fault::Contention);
    fixture.store.fail_next(Fault::Unavailable);
    assert!(matches!(fixture.write("w", "a").await, Err(StoreError::Contention(_))));
    assert!(matches!(fixture.write("w", "a").await, Err(StoreError::Unavailable(_))));
    assert!(!fixture.is_stored("a").await);
    assert_eq!(fixture.write("w", "a").await.unwrap(), 1);
    assert!(fixture.is_stored("a").await);
}

#[tokio::test]
async fn lost_response_is_independent_of_commit() {
    let fixture = Fixture::new();
    for (fault, key, is_stored) in
        [(Fault::LostAfterCommit, "after", true), (Fault::LostBeforeCommit, "before", false)]
    {
        fixture.store.fail_next(fault);
        assert!(
            matches!(fixture.write("w", key).await, Err(StoreError::CommitUnknown(_))),
            "{fault:?}"
        );
        assert_eq!(fixture.is_stored(key).await, is_stored, "{fault:?}");
    }
}

#[tokio::test]
async fn rerun_starts_from_same_state() {
    let fixture = Fixture::new();
    fixture.store.fail_next(Fault::Rerun);
    assert_eq!(fixture.write("w", "a").await.unwrap(), 2, "the first run left no outcome behind");
    assert_eq!(fixture.store.names(), ["w"]);
}

#[tokio::test]
async fn named_fault_waits_for_its_unit() {
    let fixture = Fixture::new();
    fixture.store.fail_next_named("pay", Fault::Contention);
    fixture.store.reject_units(|name| name == "bad");
    assert!(fixture.write("other", "a").await.is_ok());
    assert!(matches!(fixture.write("bad", "b").await, Err(StoreError::Rejected(_))));
    assert!(matches!(fixture.write("pay", "c").await, Err(StoreError::Contention(_))));
    assert!(fixture.write("pay", "c").await.is_ok());
    assert_eq!((fixture.store.count("pay"), fixture.store.count("none")), (2, 0));
    assert_eq!(fixture.store.names(), ["other", "bad", "pay", "pay"]);
}

#[tokio::test]
async fn poisoned_rows_are_rejected_until_healed() {
    let fixture = Fixture::new();
    fixture.store.reject_inserts(
        |row| matches!(row, Insert::Outcome(outcome) if outcome.key.key.starts_with("bad")),
    );
    assert!(fixture.write("w", "good").await.is_ok());
    assert!(matches!(fixture.write("w", "bad").await, Err(StoreError::Rejected(_))));
    fixture.store.heal();
    assert!(fixture.write("w", "bad").await.is_ok());
}

#[tokio::test]
async fn held_unit_begins_when_released() {
    let fixture = Arc::new(Fixture::new());
    let gate = fixture.store.hold_nth(2);
    fixture.write("w", "first").await.unwrap();
    let writer = Arc::clone(&fixture);
    let held = tokio::spawn(async move { writer.write("w", "second").await });
    gate.arrived().await;
    fixture.write("w", "third").await.unwrap();
    assert!(fixture.is_stored("third").await && !fixture.is_stored("second").await);
    gate.release();
    held.await.unwrap().unwrap();
    assert!(fixture.is_stored("second").await);
}

#[tokio::test]
async fn delayed_unit_is_committed() {
    let fixture = Fixture::new();
    fixture.store.fail_next(Fault::Delay(Duration::from_millis(1)));
    fixture.write("w", "a").await.unwrap();
    assert!(fixture.is_stored("a").await);
}
