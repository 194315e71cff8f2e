//! Cache that loads missing values, each once for all concurrent callers.

use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;

use crate::{ExpiringMap, Expiry, SingleFlight};

/// Cache that loads missing values, each once for all concurrent callers. Errors are not cached.
#[derive(Debug)]
pub struct LoadingCache<K: Hash + Eq, V, E> {
    values: ExpiringMap<K, V>,
    loads: SingleFlight<K, V, E>,
}

impl<K: Hash + Eq + Clone, V: Clone, E> LoadingCache<K, V, E> {
    /// Creates an empty cache with a maximum number of values.
    #[must_use]
    pub fn new(max_entries: usize, expiry: Expiry) -> Self {
        Self { values: ExpiringMap::new(max_entries, expiry), loads: SingleFlight::new() }
    }

    /// Returns the cached value, or loads it; other callers wait for the first one's load.
    ///
    /// # Errors
    /// The error of the load, for all who waited for it.
    pub async fn get_or_load(
        &self,
        key: K,
        load: impl Future<Output = Result<V, E>>,
    ) -> Result<V, Arc<E>> {
        if let Some(value) = self.values.get(&key) {
            return Ok(value);
        }
        let load = async {
            // Another load may have ended since the look above.
            if let Some(value) = self.values.get(&key) {
                return Ok(value);
            }
            let value = load.await?;
            self.values.insert(key.clone(), value.clone());
            Ok(value)
        };
        self.loads.run(key.clone(), load).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn value_is_loaded_once_and_errors_again() {
        let cache = LoadingCache::new(5, Expiry::AfterWrite(Duration::from_mins(1)));
        let failed = cache.get_or_load("a", async { Err("gone") }).await;
        assert_eq!(failed, Err(Arc::new("gone")));
        assert_eq!(cache.get_or_load("a", async { Ok(1) }).await, Ok(1));
        assert_eq!(cache.get_or_load("a", async { Ok(2) }).await, Ok(1));
        assert_eq!(cache.get_or_load("b", async { Ok(2) }).await, Ok(2));
    }
}
