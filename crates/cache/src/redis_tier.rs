//! The cache that all nodes share, in Redis.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use deadpool_redis::redis::Script;
use foretell_domain::time::Timestamp;
use foretell_ports::cache::{Cache, Cached, Floor, Known, Reach};

use crate::floors::Floors;
use crate::link::RedisLink;
use crate::publisher::Publisher;

/// Finds a version with its bytes, when they end, and how long ago they were the latest by the clock of Redis.
/// What is of another type is as good as nothing.
static FIND: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local held = redis.pcall('HMGET', KEYS[1], 'version', 'good_until', 'asked_at', 'bytes')
        if held.err or not held[1] or not held[4] then return false end
        local now = redis.call('TIME')
        local asked_at = tonumber(held[3])
        if not asked_at then return false end
        local age = math.max(0, now[1] * 1000000 + now[2] - asked_at)
        return {held[1], held[2], string.format('%.0f', age), held[4]}
        ",
    )
});

/// Puts a version unless a newer one, or the floor of one, is there.
static PUT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local held = redis.pcall('HGET', KEYS[1], 'version')
        local version = type(held) == 'string' and tonumber(held)
        if version and version > tonumber(ARGV[1]) then return 0 end
        local now = redis.call('TIME')
        local asked_at = string.format('%.0f', now[1] * 1000000 + now[2] - tonumber(ARGV[3]))
        redis.call('DEL', KEYS[1])
        redis.call('HSET', KEYS[1], 'version', ARGV[1], 'good_until', ARGV[2], 'asked_at', asked_at, 'bytes', ARGV[5])
        redis.call('PEXPIRE', KEYS[1], ARGV[4])
        return 1
        ",
    )
});

/// The cache in Redis. Nothing of it is at hand without waiting.
pub struct RedisCache {
    link: Arc<RedisLink>,
    kept: Duration,
    floors: Floors,
    publisher: Publisher,
}

impl RedisCache {
    /// A cache whose entries are kept for this long, give or take a little so that they do not all go at once.
    #[must_use]
    pub fn new(link: Arc<RedisLink>, kept: Duration) -> Self {
        let publisher = Publisher::start(&link);
        Self { link, kept, floors: Floors::new(), publisher }
    }

    pub(crate) const fn link(&self) -> &Arc<RedisLink> {
        &self.link
    }

    /// Between nine tenths and the whole of the time that entries are kept, in milliseconds.
    fn jittered_ms(&self, key: &str) -> u64 {
        let kept_ms = u64::try_from(self.kept.as_millis()).unwrap_or(u64::MAX).max(10);
        kept_ms - RandomState::new().hash_one(key) % (kept_ms / 10)
    }
}

/// What [`FIND`] gives.
type Found = (String, String, String, Vec<u8>);

fn known((version, good_until, age_us, bytes): Found) -> Option<Known> {
    let good_until = Timestamp::from_micros(good_until.parse().ok()?);
    let cached = Cached { version: version.parse().ok()?, good_until, bytes: bytes.into() };
    Some(Known { cached, age: Duration::from_micros(age_us.parse().ok()?) })
}

#[async_trait]
impl Cache for RedisCache {
    fn glance(&self, _: &str) -> Option<Known> {
        None
    }

    async fn find(&self, key: &str) -> Option<Known> {
        let found: Option<Found> = self.link.run(FIND.key(self.link.name(key)).arg(0)).await?;
        found.and_then(known).filter(|known| known.cached.version >= self.floors.of(key))
    }

    async fn put(&self, key: &str, Known { cached, age }: Known) {
        if cached.version < self.floors.of(key) {
            return;
        }
        let age_us = u64::try_from(age.as_micros()).unwrap_or(u64::MAX);
        let mut script = PUT.key(self.link.name(key));
        script.arg(cached.version).arg(cached.good_until.micros()).arg(age_us).arg(self.jittered_ms(key));
        let _: Option<i64> = self.link.run(script.arg(&*cached.bytes)).await;
    }

    fn raise(&self, floors: &[Floor]) {
        for floor in floors {
            self.floors.raise(floor);
        }
        self.publisher.publish(floors);
    }

    fn floor_of(&self, key: &str) -> i64 {
        self.floors.of(key)
    }

    fn reach(&self) -> Reach {
        if self.link.is_up() { Reach::Shared } else { Reach::Degraded }
    }
}
