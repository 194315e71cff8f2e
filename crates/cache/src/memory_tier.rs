//! Cache of this process alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use foretell_expiring_map::{Change, ExpiringMap, Expiry};
use foretell_ports::cache::{Cache, CacheEntry, CacheMode, Cached, MinVersion};

use crate::min_versions::MinVersions;

/// A cached value, and the time when storage was read.
#[derive(Debug, Clone)]
struct Entry {
    cached: Cached,
    /// `None` if that was before this machine started.
    asked_at: Option<Instant>,
}

/// Cache of one process. The least recently used entries are evicted first.
#[derive(Debug)]
pub struct LocalCache {
    entries: ExpiringMap<Arc<str>, Entry>,
    min_versions: MinVersions,
}

impl LocalCache {
    /// Creates a cache with a maximum number of entries, each kept for this long after its last
    /// read.
    #[must_use]
    pub fn new(max_entries: u64, kept_unread: Duration) -> Self {
        let max_entries = usize::try_from(max_entries).unwrap_or(usize::MAX);
        let entries = ExpiringMap::new(max_entries, Expiry::AfterUse(kept_unread));
        Self { entries, min_versions: MinVersions::new() }
    }

    /// Stores a value like the port's method, without a future.
    pub(crate) fn put_now(&self, key: &str, entry: CacheEntry) {
        let CacheEntry { cached, age } = entry;
        let (version, asked_at) = (cached.version, Instant::now().checked_sub(age));
        let key: Arc<str> = key.into();
        // Compared under the lock, so that concurrent reads of storage cannot replace a newer
        // version by an older one.
        self.entries.change(Arc::clone(&key), |held| match held {
            Some(held) if held.cached.version > version => Change::Keep,
            _ => Change::Put(Entry { cached, asked_at }),
        });
        // The minimum version is checked last: one that is raised meanwhile finds and drops the
        // entry itself.
        self.drop_below(&key, self.min_versions.of(&key));
    }

    fn drop_below(&self, key: &Arc<str>, min_version: i64) {
        if min_version > 0 {
            self.entries.change(Arc::clone(key), |held| match held {
                Some(held) if held.cached.version < min_version => Change::Remove,
                _ => Change::Keep,
            });
        }
    }
}

#[async_trait]
impl Cache for LocalCache {
    fn peek(&self, key: &str) -> Option<CacheEntry> {
        let Entry { cached, asked_at } = self.entries.get(key)?;
        let age = asked_at.map_or(Duration::MAX, |asked_at| asked_at.elapsed());
        // Checked on every read: a concurrent `put` may have stored the entry after the minimum was
        // raised.
        (cached.version >= self.min_versions.of(key)).then_some(CacheEntry { cached, age })
    }

    async fn find(&self, key: &str) -> Option<CacheEntry> {
        self.peek(key)
    }

    async fn put(&self, key: &str, entry: CacheEntry) {
        self.put_now(key, entry);
    }

    fn invalidate_below(&self, min_versions: &[MinVersion]) {
        for min_version in min_versions {
            // First the minimum, then the entry: a `put` in between sees the new minimum.
            if self.min_versions.raise(min_version) {
                self.drop_below(&min_version.key, min_version.version);
            }
        }
    }

    fn min_version(&self, key: &str) -> i64 {
        self.min_versions.of(key)
    }

    fn mode(&self) -> CacheMode {
        CacheMode::Local
    }
}
