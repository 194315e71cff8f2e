//! Tests of two nodes with one Redis.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use foretell_cache::{LocalCache, RedisCache, RedisRateLimiter, RedisUserChanges, TieredCache};
use foretell_domain::id::UserId;
use foretell_domain::time::Timestamp;
use foretell_ports::cache::{Cache as _, CacheEntry, Cached, MinVersion};
use foretell_ports::rate_limit::{Budget, RateLimiter as _};
use foretell_ports::user_changes::UserChanges as _;
use foretell_testkit::clock::{FakeClock, START};

use crate::outages::wait_for;
use crate::redis::{OwnRedis, link};

fn node(redis: &OwnRedis) -> TieredCache {
    let kept = Duration::from_mins(5);
    let clock = Arc::new(FakeClock::at(START));
    TieredCache::new(
        LocalCache::new(500, kept),
        RedisCache::new(link(&redis.url(), "nodes"), clock, kept),
    )
}

fn entry(version: i64) -> CacheEntry {
    let good_until = Timestamp::from_micros(i64::MAX);
    CacheEntry { cached: Cached { version, good_until, bytes: [7].into() }, age: Duration::ZERO }
}

#[tokio::test(flavor = "multi_thread")]
async fn entry_is_found_by_another_node() {
    let redis = OwnRedis::start();
    let (one, other) = (node(&redis), node(&redis));
    one.put("a", entry(1)).await;
    wait_for(async || other.find("a").await.is_some()).await;
    assert_eq!(other.peek("a").unwrap().cached.version, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn raised_floor_applies_on_another_node() {
    let redis = OwnRedis::start();
    let (one, other) = (node(&redis), node(&redis));
    let mut version = 1;
    // It receives nothing before it has subscribed.
    wait_for(async || {
        other.put("a", entry(version)).await;
        version += 1;
        one.invalidate_below(&[MinVersion { key: "a".into(), version }]);
        tokio::time::sleep(Duration::from_millis(20)).await;
        other.peek("a").is_none()
    })
    .await;
    assert_eq!(other.find("a").await, None, "in Redis it is gone too");
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_user_is_announced_to_other_nodes() {
    let redis = OwnRedis::start();
    let changes = || RedisUserChanges::new(link(&redis.url(), "nodes"));
    let (one, other, heard) = (changes(), changes(), Arc::new(Mutex::new(Vec::new())));
    let channel = Arc::clone(&heard);
    other.listen(Box::new(move |user| channel.lock().unwrap().push(user)));
    wait_for(async || *heard.lock().unwrap() == [None]).await;
    for number in [7, 8] {
        one.announce(UserId::from_u128(number));
        let is_last = || heard.lock().unwrap().last() == Some(&Some(UserId::from_u128(number)));
        wait_for(async || is_last()).await;
    }
    assert_eq!(heard.lock().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_share_buckets() {
    let redis = OwnRedis::start();
    let limiter = || RedisRateLimiter::new(link(&redis.url(), "nodes"));
    let (one, other) = (limiter(), limiter());
    let budget = Budget { quota: 10, window: Duration::from_hours(1) };
    let now = Timestamp::from_micros(0);
    for left in [8, 6, 4, 2, 0] {
        one.take("a", budget, 1, now).await;
        assert_eq!(other.take("a", budget, 1, now).await.remaining, left);
    }
    assert!(one.take("a", budget, 1, now).await.refused_for.is_some());
}
