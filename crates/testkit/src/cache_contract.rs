//! Contract of the cache and of the rate limits, as tests that every adapter runs: in memory, in
//! the process, in Redis, and in both.
//!
//! An adapter's test implements [`CacheHarness`] or [`LimiterHarness`] and writes one line,
//! [`cache_contract_suite!`](crate::cache_contract_suite) or
//! [`limiter_contract_suite!`](crate::limiter_contract_suite).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use foretell_domain::time::Timestamp;
use foretell_ports::cache::{Cache, CacheEntry, Cached, MinVersion};
use foretell_ports::rate_limit::{Budget, RateLimiter};
use futures::future::join_all;

use crate::clock::START;

/// Opens caches for the suite.
#[async_trait]
pub trait CacheHarness: Send + Sync {
    /// Opens an empty cache.
    async fn open(&self) -> Arc<dyn Cache>;
}

/// Opens limiters for the suite.
#[async_trait]
pub trait LimiterHarness: Send + Sync {
    /// Opens a limiter whose buckets are full.
    async fn open(&self) -> Arc<dyn RateLimiter>;
}

/// Generates the contract's tests for the caches that a harness opens.
#[macro_export]
macro_rules! cache_contract_suite {
    ($harness:expr) => {
        $crate::cache_contract_tests! { $harness;
            stored_entry_is_found,
            older_version_never_replaces_newer_one,
            entry_below_floor_is_never_found,
            min_versions_only_rise,
            min_versions_are_raised_together,
            age_of_entry_grows,
            same_version_is_fresh_again;
        }
    };
}

/// Generates the contract's tests for the limiters that a harness opens.
#[macro_export]
macro_rules! limiter_contract_suite {
    ($harness:expr) => {
        $crate::cache_contract_tests! { $harness;
            empty_bucket_rejects,
            buckets_are_independent,
            several_tokens_are_taken_or_none,
            returned_tokens_are_available_again,
            concurrent_callers_take_no_more_tokens;
        }
    };
}

/// Generates the listed tests, as part of the suites.
#[doc(hidden)]
#[macro_export]
macro_rules! cache_contract_tests {
    ($harness:expr; $($test:ident),+;) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            $crate::cache_contract::$test(&$harness).await;
        }
    )+};
}

fn entry(version: i64, text: &str) -> CacheEntry {
    let good_until = Timestamp::from_micros(START.micros().saturating_add(version));
    CacheEntry {
        cached: Cached { version, good_until, bytes: text.as_bytes().into() },
        age: Duration::ZERO,
    }
}

fn min_version(key: &str, version: i64) -> MinVersion {
    MinVersion { key: key.into(), version }
}

async fn version(cache: &dyn Cache, key: &str) -> Option<i64> {
    let found = cache.find(key).await.map(|entry| entry.cached.version);
    if let Some(entry) = cache.peek(key) {
        assert_eq!(Some(entry.cached.version), found, "peek and find differ");
    }
    found
}

/// Bytes are returned unchanged, with their version, under their key only.
pub async fn stored_entry_is_found(harness: &dyn CacheHarness) {
    let cache = harness.open().await;
    let long = "x".repeat(200_000);
    for (key, entry) in
        [("a", entry(1, "")), ("b", entry(i64::MAX, "\0\n\u{e9}")), ("c:d", entry(3, &long))]
    {
        assert_eq!(cache.find(key).await, None);
        cache.put(key, entry.clone()).await;
        assert_eq!(cache.find(key).await.unwrap().cached, entry.cached, "{key}");
    }
}

/// A newer version wins, in whatever order they are stored.
pub async fn older_version_never_replaces_newer_one(harness: &dyn CacheHarness) {
    let cache = harness.open().await;
    for (put, expected) in [(2, 2), (1, 2), (3, 3), (2, 3)] {
        cache.put("a", entry(put, "")).await;
        assert_eq!(version(&*cache, "a").await, Some(expected), "after {put}");
    }
}

/// An entry below the minimum version is absent at once, and a late reader of storage cannot bring
/// it back.
pub async fn entry_below_floor_is_never_found(harness: &dyn CacheHarness) {
    let cache = harness.open().await;
    cache.put("a", entry(1, "")).await;
    assert_eq!(version(&*cache, "a").await, Some(1));
    cache.invalidate_below(&[min_version("a", 2)]);
    assert_eq!(version(&*cache, "a").await, None);
    cache.put("a", entry(1, "")).await;
    assert_eq!(version(&*cache, "a").await, None);
    cache.put("a", entry(2, "")).await;
    assert_eq!(version(&*cache, "a").await, Some(2));
}

/// A raised minimum version stays when a lower one arrives late.
pub async fn min_versions_only_rise(harness: &dyn CacheHarness) {
    let cache = harness.open().await;
    assert_eq!(cache.min_version("a"), 0);
    cache.invalidate_below(&[min_version("a", 3)]);
    cache.invalidate_below(&[min_version("a", 2)]);
    assert_eq!(cache.min_version("a"), 3);
    cache.put("a", entry(2, "")).await;
    assert_eq!(version(&*cache, "a").await, None);
}

/// Many minimum versions are raised at once, and other keys are not affected.
pub async fn min_versions_are_raised_together(harness: &dyn CacheHarness) {
    let cache = harness.open().await;
    let keys: Vec<_> = (0..50).map(|number| format!("key:{number}")).collect();
    for key in &keys {
        cache.put(key, entry(1, "")).await;
    }
    let min_versions: Vec<_> = keys.iter().take(40).map(|key| min_version(key, 2)).collect();
    cache.invalidate_below(&min_versions);
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(version(&*cache, key).await, (number >= 40).then_some(1), "{key}");
    }
}

/// The age counts from the query of storage, not from storing the entry.
pub async fn age_of_entry_grows(harness: &dyn CacheHarness) {
    let cache = harness.open().await;
    let age = Duration::from_secs(90);
    cache.put("a", CacheEntry { age, ..entry(1, "") }).await;
    let found = cache.find("a").await.unwrap().age;
    assert!(found >= age && found < age + Duration::from_mins(1), "{found:?}");
}

/// A reader that has verified that a version is still current stores it again.
pub async fn same_version_is_fresh_again(harness: &dyn CacheHarness) {
    let cache = harness.open().await;
    cache.put("a", CacheEntry { age: Duration::from_secs(90), ..entry(1, "") }).await;
    cache.put("a", entry(1, "")).await;
    assert!(cache.find("a").await.unwrap().age < Duration::from_mins(1));
}

const BUDGET: Budget = Budget { quota: 5, window: Duration::from_hours(1) };

/// A bucket is full at first, and returns the time to wait when it is empty.
pub async fn empty_bucket_rejects(harness: &dyn LimiterHarness) {
    let limiter = harness.open().await;
    for left in [4, 3, 2, 1, 0] {
        let verdict = limiter.take("a", BUDGET, 1, START).await;
        assert_eq!((verdict.remaining, verdict.refused_for), (left, None));
        assert!(verdict.full_in > Duration::ZERO && verdict.full_in <= BUDGET.window);
    }
    let verdict = limiter.take("a", BUDGET, 1, START).await;
    let wait = verdict.refused_for.unwrap();
    assert_eq!(verdict.remaining, 0);
    assert!(wait > Duration::from_mins(10) && wait <= Duration::from_mins(12), "{wait:?}");
}

/// Each name has its own bucket.
pub async fn buckets_are_independent(harness: &dyn LimiterHarness) {
    let limiter = harness.open().await;
    assert!(limiter.take("a", BUDGET, 5, START).await.refused_for.is_none());
    assert!(limiter.take("a", BUDGET, 1, START).await.refused_for.is_some());
    assert!(limiter.take("b", BUDGET, 5, START).await.refused_for.is_none());
}

/// If not all tokens are available, none is taken.
pub async fn several_tokens_are_taken_or_none(harness: &dyn LimiterHarness) {
    let limiter = harness.open().await;
    assert!(limiter.take("a", BUDGET, 6, START).await.refused_for.is_some());
    assert_eq!(limiter.take("a", BUDGET, 3, START).await.remaining, 2);
    assert!(limiter.take("a", BUDGET, 3, START).await.refused_for.is_some());
    assert_eq!(limiter.take("a", BUDGET, 2, START).await.remaining, 0);
}

/// Returned tokens can be taken again; a bucket never holds more than its quota.
pub async fn returned_tokens_are_available_again(harness: &dyn LimiterHarness) {
    let limiter = harness.open().await;
    limiter.give_back("a", BUDGET, 3, START).await;
    assert_eq!(limiter.take("a", BUDGET, 5, START).await.remaining, 0, "an unknown bucket is full");
    limiter.give_back("a", BUDGET, 2, START).await;
    assert!(limiter.take("a", BUDGET, 3, START).await.refused_for.is_some());
    assert_eq!(limiter.take("a", BUDGET, 2, START).await.remaining, 0);
    limiter.give_back("a", BUDGET, 100, START).await;
    assert!(limiter.take("a", BUDGET, 6, START).await.refused_for.is_some());
    assert_eq!(limiter.take("a", BUDGET, 5, START).await.remaining, 0);
}

/// Tokens are taken once, however many callers ask for them.
pub async fn concurrent_callers_take_no_more_tokens(harness: &dyn LimiterHarness) {
    let limiter = harness.open().await;
    let takers = (0..40).map(|_| {
        let limiter = Arc::clone(&limiter);
        tokio::spawn(async move { limiter.take("a", BUDGET, 1, START).await.refused_for.is_none() })
    });
    let taken = join_all(takers).await.into_iter().filter(|taken| *taken.as_ref().unwrap()).count();
    assert_eq!(taken, 5);
}
