//! Cache of stored data, with versions: an older version never replaces a newer one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use foretell_domain::time::Timestamp;

/// Cached value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cached {
    /// Version of the value; every change of the underlying data increases it.
    pub version: i64,
    /// Time after which the value is stale although nothing was changed. The cache only stores it:
    /// readers must check it.
    pub good_until: Timestamp,
    /// Serialized value, of any length, usually some kilobytes.
    pub bytes: Arc<[u8]>,
}

/// A cached value and the time since it was known to be current.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheEntry {
    /// The cached value.
    pub cached: Cached,
    /// Time since storage was read, or a little more.
    pub age: Duration,
}

/// Minimum version that may be returned for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MinVersion {
    /// The key.
    pub key: Arc<str>,
    /// The oldest version that may be returned.
    pub version: i64,
}

/// Scope of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheMode {
    /// The cache is local to this process, as configured.
    Local,
    /// The cache is shared by all nodes.
    Shared,
    /// The cache should be shared, but the shared store does not respond: each node works alone.
    Degraded,
}

/// Caches bytes under keys such as `market:{id}`, for minutes. A cache that fails is empty: there
/// are no errors, and after a miss the caller reads storage.
///
/// After [`invalidate_below`](Self::invalidate_below) has returned, no caller in this process finds
/// anything older than the minimum version, whenever it was or will be put, for at least ten
/// seconds; after that, nothing that was put before. Other processes learn of it soon, or not at
/// all: a value with an [`age`](CacheEntry::age) may be outdated by as much as its age.
#[async_trait]
pub trait Cache: Send + Sync {
    /// Returns the value that is available without waiting.
    fn peek(&self, key: &str) -> Option<CacheEntry>;

    /// Returns the value that is available here, or else one that another node has put.
    async fn find(&self, key: &str) -> Option<CacheEntry>;

    /// Stores a value, unless a newer version is stored or it is below the minimum version. A value
    /// with the same version replaces the stored one, with its own age.
    async fn put(&self, key: &str, entry: CacheEntry);

    /// Raises minimum versions, in one round trip if there is a shared store; a lower one than
    /// before has no effect. Does not wait for other nodes.
    fn invalidate_below(&self, min_versions: &[MinVersion]);

    /// Returns the highest minimum version of this key known here; 0 if there is none.
    fn min_version(&self, key: &str) -> i64;

    /// Returns the current scope.
    fn mode(&self) -> CacheMode;
}
