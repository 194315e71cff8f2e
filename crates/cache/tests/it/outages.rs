//! Tests of a Redis that is down, frozen, emptied or contains invalid data.

use std::sync::Arc;
use std::time::{Duration, Instant};

use foretell_cache::{RedisCache, RedisRateLimiter};
use foretell_domain::time::Timestamp;
use foretell_ports::cache::{Cache as _, CacheEntry, CacheMode, Cached};
use foretell_ports::rate_limit::{Budget, RateLimiter as _};
use foretell_testkit::clock::{FakeClock, START};

use crate::redis::{OwnRedis, link};

/// Timeout of each wait.
const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) async fn wait_for(mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < PATIENCE, "it never came");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn entry() -> CacheEntry {
    let good_until = Timestamp::from_micros(i64::MAX);
    CacheEntry { cached: Cached { version: 1, good_until, bytes: [7].into() }, age: Duration::ZERO }
}

fn cache(redis: &OwnRedis) -> RedisCache {
    let clock = Arc::new(FakeClock::at(START));
    RedisCache::new(link(&redis.url(), "outages"), clock, Duration::from_mins(5))
}

async fn is_found(cache: &RedisCache) -> bool {
    cache.put("a", entry()).await;
    cache.find("a").await.is_some()
}

/// Reads often, and returns the longest and the total time.
async fn ask_often(cache: &RedisCache) -> (Duration, Duration) {
    let (begun, mut longest) = (Instant::now(), Duration::ZERO);
    for _ in 0..500 {
        let asked = Instant::now();
        assert_eq!(cache.find("a").await, None);
        longest = longest.max(asked.elapsed());
    }
    (longest, begun.elapsed())
}

/// Reads five hundred times from a broken Redis: some reads wait for it, until the breaker opens.
async fn check_costs_little(cache: &RedisCache) {
    let (longest, all) = ask_often(cache).await;
    assert!(longest < Duration::from_millis(150), "{longest:?}");
    assert!(all < Duration::from_secs(1), "{all:?}");
    wait_for(async || cache.mode() == CacheMode::Degraded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_redis_costs_nothing_until_it_returns() {
    let mut redis = OwnRedis::start();
    let cache = cache(&redis);
    wait_for(async || is_found(&cache).await).await;
    redis.kill();
    check_costs_little(&cache).await;
    redis.restart();
    wait_for(async || is_found(&cache).await).await;
    assert_eq!(cache.mode(), CacheMode::Shared);
}

#[tokio::test(flavor = "multi_thread")]
async fn frozen_redis_costs_little_until_it_returns() {
    let redis = OwnRedis::start();
    let cache = cache(&redis);
    wait_for(async || is_found(&cache).await).await;
    redis.freeze();
    check_costs_little(&cache).await;
    redis.thaw();
    wait_for(async || is_found(&cache).await).await;
    assert_eq!(cache.mode(), CacheMode::Shared);
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_started_later_is_used() {
    let mut redis = OwnRedis::start();
    redis.kill();
    let cache = cache(&redis);
    check_costs_little(&cache).await;
    redis.restart();
    wait_for(async || is_found(&cache).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_data_counts_as_absent_and_is_overwritten() {
    let redis = OwnRedis::start();
    let cache = cache(&redis);
    let nonsense = [
        "SET outages:2:a nonsense",
        "LPUSH outages:2:a nonsense",
        "HSET outages:2:a version x good_until y asked_at z bytes b",
        "HSET outages:2:a version 1 bytes b",
        "HSET outages:2:a version 1 good_until y asked_at 1 bytes b",
        "FLUSHALL",
    ];
    for command in nonsense {
        redis.send("DEL outages:2:a");
        redis.send(command);
        assert_eq!(cache.find("a").await, None, "{command}");
        cache.put("a", entry()).await;
        wait_for(async || is_found(&cache).await).await;
    }
    assert_eq!(cache.mode(), CacheMode::Shared, "that is no failure");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_local_while_redis_is_away() {
    let mut redis = OwnRedis::start();
    let limiter = RedisRateLimiter::new(link(&redis.url(), "outages"));
    let budget = Budget { quota: 3, window: Duration::from_hours(1) };
    let now = Timestamp::from_micros(0);
    let empties = async |bucket: &str| {
        for left in [2, 1, 0] {
            assert_eq!(limiter.take(bucket, budget, 1, now).await.remaining, left, "{bucket}");
        }
        assert!(limiter.take(bucket, budget, 1, now).await.refused_for.is_some());
    };
    empties("a").await;
    redis.send("LPUSH outages:2:nonsense x");
    empties("nonsense").await;
    redis.send("SET outages:2:number 12x");
    empties("number").await;
    redis.kill();
    empties("b").await;
    redis.restart();
    wait_for(async || limiter.take("b", budget, 1, now).await.refused_for.is_none()).await;
}
