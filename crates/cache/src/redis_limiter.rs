//! Rate limits that all nodes share, in Redis.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use deadpool_redis::redis::Script;
use foretell_domain::time::Timestamp;
use foretell_ports::rate_limit::{Budget, RateLimiter, Verdict};

use crate::link::RedisLink;
use crate::local_limiter::LocalRateLimiter;

/// Takes tokens as [`Budget::take`] does, by the clock of Redis, and returns the time until the
/// bucket was full. An invalid value counts as a full bucket.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local interval, quota, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local capacity = interval * quota
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local held = redis.pcall('GET', KEYS[1])
        local wait = (type(held) == 'string' and tonumber(held) or now) - now
        if not (wait >= 0 and wait <= capacity) then wait = 0 end
        local after = wait + interval * cost
        if after <= capacity then
            redis.call('SET', KEYS[1], string.format('%.0f', now + after), 'PX', math.ceil(after / 1000))
        end
        return string.format('%.0f', wait)
        ",
    )
});

/// Gives tokens back as [`Budget::give_back`] does. A key that is absent or invalid is a full
/// bucket.
static GIVE_BACK: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local held = redis.pcall('GET', KEYS[1])
        local full_at = type(held) == 'string' and tonumber(held)
        if not full_at then return '0' end
        local wait = full_at - ARGV[1] * ARGV[2] - now
        if wait > 0 then
            redis.call('SET', KEYS[1], string.format('%.0f', now + wait), 'PX', math.ceil(wait / 1000))
        else
            redis.call('DEL', KEYS[1])
        end
        return '1'
        ",
    )
});

/// Buckets in Redis; while it does not respond, buckets of this process.
pub struct RedisRateLimiter {
    link: Arc<RedisLink>,
    local: LocalRateLimiter,
}

impl RedisRateLimiter {
    /// Creates a limiter with this connection.
    #[must_use]
    pub fn new(link: Arc<RedisLink>) -> Self {
        Self { link, local: LocalRateLimiter::new() }
    }
}

#[async_trait]
impl RateLimiter for RedisRateLimiter {
    async fn take(&self, bucket: &str, budget: Budget, cost: u32, now: Timestamp) -> Verdict {
        let mut script = TAKE.key(self.link.name(bucket));
        script.arg(budget.interval_us()).arg(budget.quota.max(1)).arg(cost);
        let waited: Option<String> = self.link.run(&script).await;
        let Some(wait_us) = waited.and_then(|wait| wait.parse().ok()) else {
            return self.local.take_now(bucket, budget, cost, now);
        };
        // The script returns only the previous wait; the same rule computes its verdict from it.
        budget.take(wait_us, cost, 0).0
    }

    async fn give_back(&self, bucket: &str, budget: Budget, cost: u32, _: Timestamp) {
        let mut script = GIVE_BACK.key(self.link.name(bucket));
        script.arg(budget.interval_us()).arg(cost);
        // If Redis is down the tokens were probably taken from the local bucket, so they return
        // there.
        let done: Option<String> = self.link.run(&script).await;
        if done.is_none() {
            self.local.give_back_now(bucket, budget, cost);
        }
    }
}
