//! Contract tests of the cache and of the rate limits for every adapter.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use foretell_cache::{LocalCache, LocalRateLimiter, RedisCache, RedisRateLimiter, TieredCache};
use foretell_ports::cache::Cache;
use foretell_ports::rate_limit::RateLimiter;
use foretell_testkit::cache_contract::{CacheHarness, LimiterHarness};
use foretell_testkit::clock::{FakeClock, START};

use crate::redis::shared_link;

const KEPT: Duration = Duration::from_mins(5);

fn clock() -> Arc<FakeClock> {
    Arc::new(FakeClock::at(START))
}

fn near() -> LocalCache {
    LocalCache::new(500, KEPT)
}

struct Near;

#[async_trait]
impl CacheHarness for Near {
    async fn open(&self) -> Arc<dyn Cache> {
        Arc::new(near())
    }
}

#[async_trait]
impl LimiterHarness for Near {
    async fn open(&self) -> Arc<dyn RateLimiter> {
        Arc::new(LocalRateLimiter::new())
    }
}

struct Far;

#[async_trait]
impl CacheHarness for Far {
    async fn open(&self) -> Arc<dyn Cache> {
        Arc::new(RedisCache::new(shared_link().await, clock(), KEPT))
    }
}

#[async_trait]
impl LimiterHarness for Far {
    async fn open(&self) -> Arc<dyn RateLimiter> {
        Arc::new(RedisRateLimiter::new(shared_link().await))
    }
}

struct Tiered;

#[async_trait]
impl CacheHarness for Tiered {
    async fn open(&self) -> Arc<dyn Cache> {
        Arc::new(TieredCache::new(near(), RedisCache::new(shared_link().await, clock(), KEPT)))
    }
}

mod local {
    use super::*;

    foretell_testkit::cache_contract_suite!(Near);
    foretell_testkit::limiter_contract_suite!(Near);
}

mod redis {
    use super::*;

    foretell_testkit::cache_contract_suite!(Far);
    foretell_testkit::limiter_contract_suite!(Far);
}

mod tiered {
    use super::*;

    foretell_testkit::cache_contract_suite!(Tiered);
}
