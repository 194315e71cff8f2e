//! Cache of this process in front of the one that all nodes share.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use foretell_ports::cache::{Cache, CacheEntry, CacheMode, MinVersion};

use crate::listener::{ChannelEvent, Listener};
use crate::memory_tier::LocalCache;
use crate::publisher::{CHANNEL, parse_min_versions};
use crate::redis_tier::RedisCache;

/// Two cache tiers. Minimum versions published by other nodes apply here as soon as they arrive.
pub struct TieredCache {
    near: Arc<LocalCache>,
    far: Arc<RedisCache>,
    _listener: Listener,
}

impl TieredCache {
    /// Creates the two tiers.
    #[must_use]
    pub fn new(near: LocalCache, far: RedisCache) -> Self {
        let near = Arc::new(near);
        let heard = Arc::clone(&near);
        let listener = Listener::start(far.link(), CHANNEL, move |event| {
            if let ChannelEvent::Message(text) = event {
                heard.invalidate_below(&parse_min_versions(text));
            }
        });
        Self { near, far: Arc::new(far), _listener: listener }
    }
}

#[async_trait]
impl Cache for TieredCache {
    fn peek(&self, key: &str) -> Option<CacheEntry> {
        self.near.peek(key)
    }

    async fn find(&self, key: &str) -> Option<CacheEntry> {
        if let Some(entry) = self.near.peek(key) {
            return Some(entry);
        }
        let asked = Instant::now();
        let entry = self.far.find(key).await?;
        // The time of the round trip counts as age: the entry may have been read at any moment in
        // it.
        self.near.put_now(key, CacheEntry { age: entry.age + asked.elapsed(), ..entry });
        // The local tier has dropped the entry if it is below a minimum version of this process.
        self.near.peek(key)
    }

    /// Stores in the local tier, and in the shared tier in the background.
    async fn put(&self, key: &str, entry: CacheEntry) {
        self.near.put_now(key, entry.clone());
        let (far, key, asked) = (Arc::clone(&self.far), key.to_owned(), Instant::now());
        self.far.link().runtime().spawn(async move {
            far.put(&key, CacheEntry { age: entry.age + asked.elapsed(), ..entry }).await;
        });
    }

    fn invalidate_below(&self, min_versions: &[MinVersion]) {
        // The local tier first: readers of this process must see the change once this returns.
        // Other nodes may lag.
        self.near.invalidate_below(min_versions);
        self.far.invalidate_below(min_versions);
    }

    fn min_version(&self, key: &str) -> i64 {
        self.near.min_version(key)
    }

    fn mode(&self) -> CacheMode {
        self.far.mode()
    }
}
