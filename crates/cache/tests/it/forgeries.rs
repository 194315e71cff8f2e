//! Tests of entries and messages that others have written into Redis.

use std::sync::Arc;
use std::time::Duration;

use foretell_cache::{LocalCache, RedisCache, TieredCache};
use foretell_domain::time::Timestamp;
use foretell_ports::cache::{Cache as _, CacheEntry, Cached, MinVersion};
use foretell_testkit::clock::{FakeClock, START};

use crate::outages::wait_for;
use crate::redis::{OwnRedis, link, link_with_key};

const KEPT: Duration = Duration::from_mins(5);

fn entry(version: i64) -> CacheEntry {
    let good_until = Timestamp::from_micros(i64::MAX);
    CacheEntry { cached: Cached { version, good_until, bytes: [7].into() }, age: Duration::ZERO }
}

fn cache(redis: &OwnRedis, clock: &Arc<FakeClock>) -> RedisCache {
    RedisCache::new(link(&redis.url(), "forged"), Arc::clone(clock) as _, KEPT)
}

/// Returns a Redis, and a cache in it whose entry "a" has version 1.
async fn cache_with_entry() -> (OwnRedis, Arc<FakeClock>, RedisCache) {
    let (redis, clock) = (OwnRedis::start(), Arc::new(FakeClock::at(START)));
    let cache = cache(&redis, &clock);
    wait_for(async || {
        cache.put("a", entry(1)).await;
        cache.find("a").await.is_some()
    })
    .await;
    (redis, clock, cache)
}

#[tokio::test(flavor = "multi_thread")]
async fn altered_entry_is_dropped_and_replaced() {
    let (redis, _, cache) = cache_with_entry().await;
    let alterations = [
        "HSET forged:2:a bytes forged",
        "HSET forged:2:a version 9223372036854775807",
        "HSET forged:2:a good_until 1",
        "HSET forged:2:a asked_at 0",
        "HSET forged:2:a tag forged",
        "HDEL forged:2:a tag",
        "PERSIST forged:2:a\r\nHSET forged:2:a version 9223372036854775807",
        "COPY forged:2:b forged:2:a REPLACE",
    ];
    cache.put("b", entry(5)).await;
    for alteration in alterations {
        redis.send(alteration);
        assert_eq!(cache.find("a").await, None, "{alteration}");
        cache.put("a", entry(1)).await;
        assert_eq!(
            cache.find("a").await.map(|entry| entry.cached.version),
            Some(1),
            "after {alteration}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entry_of_another_key_is_dropped() {
    let (redis, clock, cache) = cache_with_entry().await;
    let other = RedisCache::new(link_with_key(&redis.url(), "forged", &[8; 32]), clock, KEPT);
    other.put("a", entry(2)).await;
    assert_eq!(cache.find("a").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn replayed_entry_stays_old() {
    let (redis, clock, cache) = cache_with_entry().await;
    redis.send("COPY forged:2:a forged:2:kept");
    clock.advance_seconds(60);
    cache.put("a", entry(2)).await;
    redis.send("COPY forged:2:kept forged:2:a REPLACE");
    redis.send("HSET forged:2:a put_at 9000000000000000");
    let found = cache.find("a").await.unwrap();
    assert_eq!(found.cached.version, 1);
    assert!(found.age >= Duration::from_secs(58), "{:?}", found.age);
}

#[tokio::test(flavor = "multi_thread")]
async fn entry_from_the_future_is_not_found() {
    let (_redis, clock, cache) = cache_with_entry().await;
    clock.advance_seconds(-60);
    assert_eq!(cache.find("a").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_versions_block_no_entries() {
    let (redis, _, cache) = cache_with_entry().await;
    for forgery in [
        "HSET forged:2:a version 9223372036854775807",
        "HSET forged:2:a version 9223372036854775807 bytes x",
        "HSET forged:2:a version 9223372036854775807\r\nPEXPIRE forged:2:a 86400000",
        "HSET forged:2:a version 9223372036854775807 bytes x\r\nPEXPIRE forged:2:a 9000000000",
    ] {
        redis.send("DEL forged:2:a");
        redis.send(forgery);
        cache.put("a", entry(1)).await;
        assert_eq!(
            cache.find("a").await.map(|entry| entry.cached.version),
            Some(1),
            "after {forgery}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_message_raises_no_min_version() {
    let redis = OwnRedis::start();
    let node = || {
        let far = cache(&redis, &Arc::new(FakeClock::at(START)));
        TieredCache::new(LocalCache::new(500, KEPT), far)
    };
    let (one, other) = (node(), node());
    let mut version = 1;
    // It receives nothing before it has subscribed.
    wait_for(async || {
        version += 1;
        one.invalidate_below(&[MinVersion { key: "heard".into(), version }]);
        tokio::time::sleep(Duration::from_millis(20)).await;
        other.min_version("heard") > 0
    })
    .await;
    let told = redis.send("PUBLISH forged:2:floors \"9223372036854775807 a\"");
    assert!(told.starts_with(":2"), "both nodes get it: {told}");
    // A later message has arrived, so the earlier one has arrived too.
    one.invalidate_below(&[MinVersion { key: "after".into(), version: 1 }]);
    wait_for(async || other.min_version("after") == 1).await;
    assert_eq!(other.min_version("a"), 0);
}
