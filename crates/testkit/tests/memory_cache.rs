//! Contract tests of the in-memory cache and rate limits.

use std::sync::Arc;

use async_trait::async_trait;
use foretell_ports::cache::Cache;
use foretell_ports::rate_limit::RateLimiter;
use foretell_testkit::cache_contract::{CacheHarness, LimiterHarness};
use foretell_testkit::{MemoryCache, MemoryRateLimiter};

struct Memory;

#[async_trait]
impl CacheHarness for Memory {
    async fn open(&self) -> Arc<dyn Cache> {
        Arc::new(MemoryCache::default())
    }
}

#[async_trait]
impl LimiterHarness for Memory {
    async fn open(&self) -> Arc<dyn RateLimiter> {
        Arc::new(MemoryRateLimiter::default())
    }
}

foretell_testkit::cache_contract_suite!(Memory);
foretell_testkit::limiter_contract_suite!(Memory);
