//! In-memory cache and rate limits, for tests of the layers above the ports.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use foretell_domain::time::Timestamp;
use foretell_ports::cache::{Cache, CacheEntry, CacheMode, Cached, MinVersion};
use foretell_ports::rate_limit::{Budget, RateLimiter, Verdict};

/// A cache that never evicts; all clones are the same cache.
#[derive(Debug, Clone, Default)]
pub struct MemoryCache(Arc<Mutex<Slots>>);

#[derive(Debug, Default)]
struct Slots {
    entries: HashMap<String, (Cached, Duration, Instant)>,
    min_versions: HashMap<String, i64>,
}

impl MemoryCache {
    fn with<T>(&self, work: impl FnOnce(&mut Slots) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Cache for MemoryCache {
    fn peek(&self, key: &str) -> Option<CacheEntry> {
        let min_version = self.min_version(key);
        let entry = self.with(|slots| slots.entries.get(key).cloned());
        let entry =
            entry.map(|(cached, age, since)| CacheEntry { cached, age: age + since.elapsed() });
        entry.filter(|entry| entry.cached.version >= min_version)
    }

    async fn find(&self, key: &str) -> Option<CacheEntry> {
        self.peek(key)
    }

    async fn put(&self, key: &str, CacheEntry { cached, age }: CacheEntry) {
        self.with(|slots| {
            let held = slots.entries.get(key).map_or(0, |(held, ..)| held.version);
            if cached.version >= held {
                slots.entries.insert(key.to_owned(), (cached, age, Instant::now()));
            }
        });
    }

    fn invalidate_below(&self, min_versions: &[MinVersion]) {
        self.with(|slots| {
            for MinVersion { key, version } in min_versions {
                let held = slots.min_versions.entry(key.as_ref().to_owned()).or_default();
                *held = (*held).max(*version);
            }
        });
    }

    fn min_version(&self, key: &str) -> i64 {
        self.with(|slots| slots.min_versions.get(key).copied().unwrap_or(0))
    }

    fn mode(&self) -> CacheMode {
        CacheMode::Local
    }
}

/// In-memory buckets, by the callers' clock; all clones are the same buckets.
#[derive(Debug, Clone, Default)]
pub struct MemoryRateLimiter(Arc<Mutex<HashMap<String, i64>>>);

#[async_trait]
impl RateLimiter for MemoryRateLimiter {
    async fn take(&self, bucket: &str, budget: Budget, cost: u32, now: Timestamp) -> Verdict {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = buckets.entry(bucket.to_owned()).or_default();
        let (verdict, next) = budget.take(*full_at, cost, now.micros());
        *full_at = next;
        verdict
    }

    async fn give_back(&self, bucket: &str, budget: Budget, cost: u32, _: Timestamp) {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(full_at) = buckets.get_mut(bucket) {
            *full_at = budget.give_back(*full_at, cost);
        }
    }
}
