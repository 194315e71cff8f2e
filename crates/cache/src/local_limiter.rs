//! Rate limits of this process alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use foretell_domain::time::Timestamp;
use foretell_expiring_map::{ExpiringMap, Expiry};
use foretell_ports::rate_limit::{Budget, RateLimiter, Verdict};

/// Maximum number of buckets, at some 200 bytes each; the least recently used are evicted and are
/// then full again.
const MAX_BUCKETS: usize = 100_000;
/// Lifetime of an unused bucket: the longest window, after which it is full.
const KEPT_UNUSED: Duration = Duration::from_hours(24);

/// Buckets of one process; the state of each is the moment at which it is full.
#[derive(Debug)]
pub struct LocalRateLimiter(ExpiringMap<Box<str>, Arc<AtomicI64>>);

impl LocalRateLimiter {
    /// Creates a limiter whose buckets are all full.
    #[must_use]
    pub fn new() -> Self {
        Self(ExpiringMap::new(MAX_BUCKETS, Expiry::AfterUse(KEPT_UNUSED)))
    }

    /// Takes tokens like the port's method, without a future.
    pub(crate) fn take_now(
        &self,
        bucket: &str,
        budget: Budget,
        cost: u32,
        now: Timestamp,
    ) -> Verdict {
        // A plain read first: it needs no allocation for the key, and most buckets exist.
        let full_at = self
            .0
            .get(bucket)
            .unwrap_or_else(|| self.0.get_or_insert_with(bucket.into(), Arc::default));
        let mut seen = full_at.load(Ordering::Acquire);
        loop {
            let (verdict, next) = budget.take(seen, cost, now.micros());
            // Lock-free: a concurrent request for the same bucket makes this one compute the
            // verdict again.
            match full_at.compare_exchange_weak(seen, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return verdict,
                Err(other) => seen = other,
            }
        }
    }
}

impl LocalRateLimiter {
    /// Gives tokens back like the port's method, without a future. An unknown bucket is full.
    pub(crate) fn give_back_now(&self, bucket: &str, budget: Budget, cost: u32) {
        if let Some(full_at) = self.0.get(bucket) {
            let give_back = |full_at| Some(budget.give_back(full_at, cost));
            // It never fails: the closure always returns a value.
            let _ = full_at.fetch_update(Ordering::AcqRel, Ordering::Acquire, give_back);
        }
    }
}

impl Default for LocalRateLimiter {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl RateLimiter for LocalRateLimiter {
    async fn take(&self, bucket: &str, budget: Budget, cost: u32, now: Timestamp) -> Verdict {
        self.take_now(bucket, budget, cost, now)
    }

    async fn give_back(&self, bucket: &str, budget: Budget, cost: u32, _: Timestamp) {
        self.give_back_now(bucket, budget, cost);
    }
}
