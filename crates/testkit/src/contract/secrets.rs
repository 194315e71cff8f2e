//! Secrets shared by nodes.

use super::Harness;
use super::fixture::Fixture;

/// A name keeps its first secret, and names are independent.
pub async fn secret_is_stored_once(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    for (name, candidate, expected) in [("one", 1, 1), ("one", 2, 1), ("two", 3, 3), ("one", 3, 1)]
    {
        let kept =
            fixture.commit(move |tx| tx.insert_secret_if_absent(name, [candidate; 32])).await;
        assert_eq!(kept, [expected; 32], "{name}");
    }
}
