//! The contract of the cache and of the rate limits, as tests that every adapter runs: in memory, in the process,
//! in Redis, and in both.
//!
//! An adapter's test implements [`CacheHarness`] or [`LimiterHarness`] and writes one line,
//! [`cache_contract_suite!`](crate::cache_contract_suite) or
//! [`limiter_contract_suite!`](crate::limiter_contract_suite).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use foretell_domain::time::Timestamp;
use foretell_ports::cache::{Cache, Cached, Floor, Known};
use foretell_ports::rate_limit::{Budget, RateLimiter};
use futures::future::join_all;

use crate::clock::START;

/// Opens caches for the suite.
#[async_trait]
pub trait CacheHarness: Send + Sync {
    /// A cache of its own, in which nothing is remembered.
    async fn open(&self) -> Arc<dyn Cache>;
}

/// Opens limiters for the suite.
#[async_trait]
pub trait LimiterHarness: Send + Sync {
    /// A limiter of its own, whose buckets are full.
    async fn open(&self) -> Arc<dyn RateLimiter>;
}

/// Generates the contract's tests for the caches that a harness opens.
#[macro_export]
macro_rules! cache_contract_suite {
    ($harness:expr) => {
        $crate::cache_contract_tests! { $harness;
            what_is_put_is_found,
            an_older_version_never_takes_the_place_of_a_newer_one,
            nothing_below_a_floor_is_found_whenever_it_is_put,
            floors_only_rise,
            floors_are_raised_together,
            what_is_remembered_grows_old,
            the_same_version_is_fresh_again;
        }
    };
}

/// Generates the contract's tests for the limiters that a harness opens.
#[macro_export]
macro_rules! limiter_contract_suite {
    ($harness:expr) => {
        $crate::cache_contract_tests! { $harness;
            a_full_bucket_is_emptied_and_then_refuses,
            buckets_are_apart,
            several_tokens_are_taken_or_none,
            returned_tokens_are_there_again,
            who_takes_at_the_same_time_takes_no_more;
        }
    };
}

/// Generates the listed tests; a part of the suites.
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

fn known(version: i64, text: &str) -> Known {
    let good_until = Timestamp::from_micros(START.micros().saturating_add(version));
    Known { cached: Cached { version, good_until, bytes: text.as_bytes().into() }, age: Duration::ZERO }
}

fn floor(key: &str, version: i64) -> Floor {
    Floor { key: key.into(), version }
}

async fn version(cache: &dyn Cache, key: &str) -> Option<i64> {
    let found = cache.find(key).await.map(|known| known.cached.version);
    if let Some(known) = cache.glance(key) {
        assert_eq!(Some(known.cached.version), found, "a glance is no other look");
    }
    found
}

/// Bytes come back as they are, with their version, under their key alone.
pub async fn what_is_put_is_found(harness: &dyn CacheHarness) {
    let cache = harness.open().await;
    let long = "x".repeat(200_000);
    for (key, known) in [("a", known(1, "")), ("b", known(i64::MAX, "\0\n\u{e9}")), ("c:d", known(3, &long))]
    {
        assert_eq!(cache.find(key).await, None);
        cache.put(key, known.clone()).await;
        assert_eq!(cache.find(key).await.unwrap().cached, known.cached, "{key}");
    }
}

/// Newer wins in whatever order they are put.
pub async fn an_older_version_never_takes_the_place_of_a_newer_one(harness: &dyn CacheHarness) {
    let cache = harness.open().await;
    for (put, expected) in [(2, 2), (1, 2), (3, 3), (2, 3)] {
        cache.put("a", known(put, "")).await;
        assert_eq!(version(&*cache, "a").await, Some(expected), "after {put}");
    }
}

/// What is below a floor is gone at once, and a late reader of storage does not bring it back.
pub async fn nothing_below_a_floor_is_found_whenever_it_is_put(harness: &dyn CacheHarness) {
    let cache = harness.open().await;
    cache.put("a", known(1, "")).await;
    assert_eq!(version(&*cache, "a").await, Some(1));
    cache.raise(&[floor("a", 2)]);
    assert_eq!(version(&*cache, "a").await, None);
    cache.put("a", known(1, "")).await;
    assert_eq!(version(&*cache, "a").await, None);
    cache.put("a", known(2, "")).await;
    assert_eq!(version(&*cache, "a").await, Some(2));
}

/// A floor that was raised stays where it is when a lower one is told late.
pub async fn floors_only_rise(harness: &dyn CacheHarness) {
    let cache = harness.open().await;
    assert_eq!(cache.floor_of("a"), 0);
    cache.raise(&[floor("a", 3)]);
    cache.raise(&[floor("a", 2)]);
    assert_eq!(cache.floor_of("a"), 3);
    cache.put("a", known(2, "")).await;
    assert_eq!(version(&*cache, "a").await, None);
}

/// Many floors are raised at once, and leave other keys alone.
pub async fn floors_are_raised_together(harness: &dyn CacheHarness) {
    let cache = harness.open().await;
    let keys: Vec<_> = (0..50).map(|number| format!("key:{number}")).collect();
    for key in &keys {
        cache.put(key, known(1, "")).await;
    }
    let floors: Vec<_> = keys.iter().take(40).map(|key| floor(key, 2)).collect();
    cache.raise(&floors);
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(version(&*cache, key).await, (number >= 40).then_some(1), "{key}");
    }
}

/// The age counts from when storage was asked, not from when the answer was put.
pub async fn what_is_remembered_grows_old(harness: &dyn CacheHarness) {
    let cache = harness.open().await;
    let age = Duration::from_secs(90);
    cache.put("a", Known { age, ..known(1, "") }).await;
    let found = cache.find("a").await.unwrap().age;
    assert!(found >= age && found < age + Duration::from_mins(1), "{found:?}");
}

/// Whoever has looked whether a version is still the latest puts it anew.
pub async fn the_same_version_is_fresh_again(harness: &dyn CacheHarness) {
    let cache = harness.open().await;
    cache.put("a", Known { age: Duration::from_secs(90), ..known(1, "") }).await;
    cache.put("a", known(1, "")).await;
    assert!(cache.find("a").await.unwrap().age < Duration::from_mins(1));
}

const BUDGET: Budget = Budget { quota: 5, window: Duration::from_hours(1) };

/// A bucket is full at first, and says how long to wait once it is empty.
pub async fn a_full_bucket_is_emptied_and_then_refuses(harness: &dyn LimiterHarness) {
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

/// Each name is a bucket of its own.
pub async fn buckets_are_apart(harness: &dyn LimiterHarness) {
    let limiter = harness.open().await;
    assert!(limiter.take("a", BUDGET, 5, START).await.refused_for.is_none());
    assert!(limiter.take("a", BUDGET, 1, START).await.refused_for.is_some());
    assert!(limiter.take("b", BUDGET, 5, START).await.refused_for.is_none());
}

/// Where not all tokens are there, none is taken.
pub async fn several_tokens_are_taken_or_none(harness: &dyn LimiterHarness) {
    let limiter = harness.open().await;
    assert!(limiter.take("a", BUDGET, 6, START).await.refused_for.is_some());
    assert_eq!(limiter.take("a", BUDGET, 3, START).await.remaining, 2);
    assert!(limiter.take("a", BUDGET, 3, START).await.refused_for.is_some());
    assert_eq!(limiter.take("a", BUDGET, 2, START).await.remaining, 0);
}

/// Returned tokens can be taken again; a bucket never holds more than its quota.
pub async fn returned_tokens_are_there_again(harness: &dyn LimiterHarness) {
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

/// Tokens are there once, however many ask for them.
pub async fn who_takes_at_the_same_time_takes_no_more(harness: &dyn LimiterHarness) {
    let limiter = harness.open().await;
    let takers = (0..40).map(|_| {
        let limiter = Arc::clone(&limiter);
        tokio::spawn(async move { limiter.take("a", BUDGET, 1, START).await.refused_for.is_none() })
    });
    let taken = join_all(takers).await.into_iter().filter(|taken| *taken.as_ref().unwrap()).count();
    assert_eq!(taken, 5);
}
