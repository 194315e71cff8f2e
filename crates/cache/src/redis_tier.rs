//! Cache that all nodes share, in Redis.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use deadpool_redis::redis::Script;
use foretell_domain::time::Timestamp;
use foretell_ports::cache::{Cache, CacheEntry, CacheMode, Cached, MinVersion};
use foretell_ports::system::Clock;

use crate::cause::RedisCause;
use crate::link::RedisLink;
use crate::min_versions::MinVersions;
use crate::publisher::{Publisher, version_at};

/// Maximum difference of two nodes' clocks. Ages are computed by the clock of Redis; the signed
/// time of the node that stored an entry keeps others from making it younger than this.
const CLOCK_SKEW_US: i64 = 2_000_000;

/// Returns an entry with its signature, and its age by the clock of Redis. A value of another type
/// counts as absent, as does one without bytes: a minimum version.
static FIND: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local held = redis.pcall('HMGET', KEYS[1], 'version', 'good_until', 'asked_at', 'put_at', 'tag', 'bytes')
        if held.err or not held[6] then return false end
        local now = redis.call('TIME')
        local age = now[1] * 1000000 + now[2] - (tonumber(held[4]) or 0)
        for field = 1, 5 do held[field] = held[field] or '' end
        return {held[1], held[2], held[3], string.format('%.0f', math.max(0, age)), held[5], held[6]}
        ",
    )
});

/// Stores an entry unless there is a newer one or a higher minimum version.
static PUT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(&format!(
        r"
        {}
        local version = version_at(KEYS[1])
        if version and version > tonumber(ARGV[1]) then return 0 end
        local now = redis.call('TIME')
        local put_at = string.format('%.0f', now[1] * 1000000 + now[2] - tonumber(ARGV[4]))
        redis.call('DEL', KEYS[1])
        redis.call('HSET', KEYS[1], 'version', ARGV[1], 'good_until', ARGV[2], 'asked_at', ARGV[3],
            'put_at', put_at, 'tag', ARGV[6], 'bytes', ARGV[7])
        redis.call('PEXPIRE', KEYS[1], ARGV[5])
        return 1
        ",
        version_at()
    ))
});

/// Deletes an entry if it still has this signature.
static EVICT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local tag = redis.pcall('HGET', KEYS[1], 'tag')
        if (type(tag) == 'string' and tag or '') ~= ARGV[1] then return 0 end
        return redis.call('DEL', KEYS[1])
        ",
    )
});

/// Cache in Redis. No entry is available without waiting.
pub struct RedisCache {
    link: Arc<RedisLink>,
    clock: Arc<dyn Clock>,
    kept: Duration,
    min_versions: MinVersions,
    publisher: Publisher,
}

impl RedisCache {
    /// Creates a cache whose entries live about this long, with a random part so that they do not
    /// all expire at once.
    #[must_use]
    pub fn new(link: Arc<RedisLink>, clock: Arc<dyn Clock>, kept: Duration) -> Self {
        let publisher = Publisher::start(&link);
        Self { link, clock, kept, min_versions: MinVersions::new(), publisher }
    }

    pub(crate) const fn link(&self) -> &Arc<RedisLink> {
        &self.link
    }

    /// Returns between nine tenths and the whole of the lifetime of entries, in milliseconds.
    fn jittered_ms(&self, key: &str) -> u64 {
        let kept_ms = u64::try_from(self.kept.as_millis()).unwrap_or(u64::MAX).max(10);
        kept_ms - RandomState::new().hash_one(key) % (kept_ms / 10)
    }
}

/// Result of [`FIND`]: version, end, signed time, age by the clock of Redis, signature, bytes.
type Found = (String, String, String, String, Vec<u8>, Vec<u8>);

impl RedisCache {
    /// Returns the entry if a node of this database has signed it; others are deleted, so that they
    /// do not block ours.
    async fn open(&self, key: &str, found: Found) -> Option<CacheEntry> {
        // The script deletes only this very entry: another node may have replaced it meanwhile.
        let tag = found.4.clone();
        if let Some((cached, asked_at, redis_age_us)) = parsed(found)
            && self.link.seal().is_signed(key, &cached, asked_at, &tag)
        {
            let age_us = age_us(self.clock.now(), asked_at, redis_age_us)?;
            return Some(CacheEntry { cached, age: Duration::from_micros(age_us) });
        }
        self.link.note_cause(RedisCause::Forged);
        let _: Option<i64> = self.link.run(EVICT.key(self.link.name(key)).arg(tag)).await;
        None
    }
}

fn parsed(
    (version, good_until, asked_at, age_us, _, bytes): Found,
) -> Option<(Cached, Timestamp, u64)> {
    let time = |text: String| text.parse().ok().map(Timestamp::from_micros);
    let cached = Cached {
        version: version.parse().ok()?,
        good_until: time(good_until)?,
        bytes: bytes.into(),
    };
    Some((cached, time(asked_at)?, age_us.parse().ok()?))
}

/// Returns the larger of the age by the clock of Redis, which is not signed, and that by the signed
/// time minus the clock skew. `None` for an entry from the future: its node's clock is wrong.
fn age_us(now: Timestamp, asked_at: Timestamp, redis_age_us: u64) -> Option<u64> {
    let signed = now.micros().saturating_sub(asked_at.micros());
    if signed < -CLOCK_SKEW_US {
        return None;
    }
    let least = u64::try_from(signed.saturating_sub(CLOCK_SKEW_US)).unwrap_or(0);
    Some(least.max(redis_age_us))
}

#[async_trait]
impl Cache for RedisCache {
    fn peek(&self, _: &str) -> Option<CacheEntry> {
        None
    }

    async fn find(&self, key: &str) -> Option<CacheEntry> {
        let found: Option<Found> = self.link.run(FIND.key(self.link.name(key)).arg(0)).await?;
        let entry = self.open(key, found?).await?;
        // The shared entry may be older than a change that this process has seen but not published
        // yet.
        (entry.cached.version >= self.min_versions.of(key)).then_some(entry)
    }

    async fn put(&self, key: &str, CacheEntry { cached, age }: CacheEntry) {
        if cached.version < self.min_versions.of(key) {
            return;
        }
        let age_us = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
        // The signature covers the time of the read, so that a copied old entry stays old.
        let asked_at = Timestamp::from_micros(self.clock.now().micros().saturating_sub(age_us));
        let tag = self.link.seal().sign_entry(key, &cached, asked_at);
        let mut script = PUT.key(self.link.name(key));
        script
            .arg(cached.version)
            .arg(cached.good_until.micros())
            .arg(asked_at.micros())
            .arg(age_us);
        script.arg(self.jittered_ms(key)).arg(&tag[..]).arg(&*cached.bytes);
        let _: Option<i64> = self.link.run(&script).await;
    }

    fn invalidate_below(&self, min_versions: &[MinVersion]) {
        for min_version in min_versions {
            self.min_versions.raise(min_version);
        }
        self.publisher.publish(min_versions);
    }

    fn min_version(&self, key: &str) -> i64 {
        self.min_versions.of(key)
    }

    fn mode(&self) -> CacheMode {
        if self.link.is_up() { CacheMode::Shared } else { CacheMode::Degraded }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_is_bounded_by_signed_time() {
        let (now, second) = (Timestamp::from_micros(1_000_000_000), 1_000_000);
        let age = |asked_s: i64, redis_us| {
            age_us(now, Timestamp::from_micros(asked_s * second), redis_us)
        };
        assert_eq!(age(1_000, 300), Some(300));
        assert_eq!(age(998, 300), Some(300), "clocks may differ");
        assert_eq!(age(990, 300), Some(8_000_000), "a replayed entry stays old");
        assert_eq!(age(990, 60_000_000), Some(60_000_000));
        assert_eq!(age(1_002, 300), Some(300));
        assert_eq!(age(1_003, 300), None, "from the future");
        assert_eq!(age_us(now, Timestamp::from_micros(i64::MAX), 0), None);
        assert!(age_us(now, Timestamp::from_micros(i64::MIN), 0).unwrap() > 1_000_000_000);
    }
}
