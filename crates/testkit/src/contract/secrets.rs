//! Secrets that nodes share.

use super::Harness;
use super::scene::Scene;

/// A name keeps the first secret that it is given, and names do not get in each other's way.
pub async fn a_secret_is_kept_once(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    for (name, candidate, expected) in [("one", 1, 1), ("one", 2, 1), ("two", 3, 3), ("one", 3, 1)] {
        let kept = scene.commit(move |tx| tx.keep_secret_once(name, [candidate; 32])).await;
        assert_eq!(kept, [expected; 32], "{name}");
    }
}
