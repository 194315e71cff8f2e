//! Outcomes of commands: stored once for each user and key, and deleted when they are old.

use std::slice::from_ref;

use foretell_ports::idempotency::{CommandKey, MAX_KEY_BYTES, StoredOutcome};

use super::Harness;
use super::fixture::{Fixture, after};

async fn store(fixture: &Fixture, outcomes: &[StoredOutcome]) {
    let outcomes = outcomes.to_vec();
    fixture.commit(move |tx| tx.insert_outcomes(&outcomes)).await;
}

async fn is_stored(fixture: &Fixture, outcome: &StoredOutcome) -> bool {
    let found = fixture.ports.outcomes.find_outcome(&outcome.key).await.unwrap();
    assert!(found.is_none() || found.as_ref() == Some(outcome), "{found:?} is {outcome:?}");
    found.is_some()
}

/// An outcome is returned with every field, to units and to queries; each user has separate keys.
pub async fn outcomes_are_returned_as_written(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let (user, other) = (fixture.user().await.id, fixture.user().await.id);
    let long = StoredOutcome {
        outcome: "{\"text\":\"ü 🎲\"}".repeat(2_000),
        created_at: after(-5),
        request_hash: [0xff; 32],
        ..fixture.make.outcome(user, &"k".repeat(MAX_KEY_BYTES))
    };
    let outcomes = [
        fixture.make.outcome(user, "one"),
        fixture.make.outcome(other, "one"),
        fixture.make.outcome(user, "ONE"),
        long,
    ];
    store(&fixture, &outcomes).await;
    for outcome in &outcomes {
        assert!(is_stored(&fixture, outcome).await, "{:?}", outcome.key);
    }
    let mut keys: Vec<_> = outcomes.iter().map(|outcome| outcome.key.clone()).collect();
    keys.push(CommandKey { user_id: other, key: "ONE".to_owned() });
    let mut found = fixture.commit(move |tx| tx.find_outcomes(&keys)).await;
    let mut expected = outcomes.to_vec();
    found.sort_by(|left, right| left.key.cmp(&right.key));
    expected.sort_by(|left, right| left.key.cmp(&right.key));
    assert_eq!(found, expected);
    assert!(fixture.commit(|tx| tx.find_outcomes(&[])).await.is_empty());
}

/// An existing key is rejected, in a later unit and twice in one call, and its unit is rolled back.
pub async fn existing_key_is_rejected(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let user = fixture.user().await.id;
    let first = fixture.make.outcome(user, "key");
    store(&fixture, from_ref(&first)).await;
    let fresh = fixture.make.outcome(user, "fresh");
    for known in [fixture.make.outcome(user, "key"), fixture.make.outcome(user, "fresh")] {
        let batch = [fresh.clone(), known];
        fixture.check_rejected(move |tx| tx.insert_outcomes(&batch)).await;
    }
    assert!(is_stored(&fixture, &first).await);
    assert!(!is_stored(&fixture, &fresh).await);
}

/// A purge deletes outcomes stored before a time, up to the limit, and returns their number.
pub async fn old_outcomes_are_purged(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let user = fixture.user().await.id;
    let at = |second: i64| {
        let outcome = fixture.make.outcome(user, &format!("key {second}"));
        StoredOutcome { created_at: after(second), ..outcome }
    };
    let old: Vec<_> = (0..5).map(at).collect();
    let young = [at(5), at(6)];
    store(&fixture, &old).await;
    store(&fixture, &young).await;
    let mut purged = Vec::new();
    for _ in 0..4 {
        purged.push(fixture.commit(|tx| tx.purge_outcomes(after(5), 2)).await);
    }
    assert_eq!(purged, [2, 2, 1, 0]);
    for outcome in &old {
        assert!(!is_stored(&fixture, outcome).await, "{:?}", outcome.key);
    }
    for outcome in &young {
        assert!(is_stored(&fixture, outcome).await, "{:?}", outcome.key);
    }
    let again = fixture.make.outcome(user, "key 0");
    store(&fixture, from_ref(&again)).await;
    assert!(is_stored(&fixture, &again).await, "a purged key is free again");
}

/// As many outcomes as in a batch of the money writer are found and written in one call.
pub async fn full_batch_of_outcomes_is_written(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let user = fixture.user().await.id;
    let outcomes: Vec<_> =
        (0..1_000).map(|number| fixture.make.outcome(user, &number.to_string())).collect();
    store(&fixture, &outcomes).await;
    let keys: Vec<_> = outcomes.into_iter().map(|outcome| outcome.key).collect();
    assert_eq!(fixture.commit(move |tx| tx.find_outcomes(&keys)).await.len(), 1_000);
}
