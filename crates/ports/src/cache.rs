//! What is remembered of storage for a while, by version: an older one never takes the place of a newer one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use foretell_domain::time::Timestamp;

/// What is remembered under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cached {
    /// The version that it shows; each change of what it shows has a higher one.
    pub version: i64,
    /// From when on it is wrong although nothing was changed. The cache only keeps it: whoever reads it looks.
    pub good_until: Timestamp,
    /// What is shown, finished; of any length, though some kilobytes are usual.
    pub bytes: Arc<[u8]>,
}

/// Something remembered, and how long ago it was the latest for certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What is remembered.
    pub cached: Cached,
    /// The time since storage was asked, or a little more.
    pub age: Duration,
}

/// Says that nothing older than a version is to be shown under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Floor {
    /// The key.
    pub key: Arc<str>,
    /// The oldest version that may be shown.
    pub version: i64,
}

/// How far a cache reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It is this process's own, as it is meant to be.
    Own,
    /// It is shared by all nodes.
    Shared,
    /// It is meant to be shared, but what it is shared by does not answer: each node is on its own.
    Degraded,
}

/// Remembers bytes under keys such as `market:{id}`, for minutes. A cache that fails remembers nothing: there are
/// no errors, and whoever finds nothing asks storage.
///
/// After [`raise`](Self::raise) has returned, no caller in this process finds anything older than the floor,
/// whenever it was or will be put, for at least ten seconds; after that, nothing that was put before. Other
/// processes hear of it soon, or not at all: what has an [`age`](Known::age) may be as outdated as that.
#[async_trait]
pub trait Cache: Send + Sync {
    /// What is at hand without waiting.
    fn glance(&self, key: &str) -> Option<Known>;

    /// What is at hand, or else what other nodes have put.
    async fn find(&self, key: &str) -> Option<Known>;

    /// Remembers this, unless something newer is remembered or it is below the floor. The same version again takes
    /// the place of the first, with its own age.
    async fn put(&self, key: &str, known: Known);

    /// Raises floors, in one round trip where there is one; a lower one than there is leaves it. Does not wait for
    /// other nodes.
    fn raise(&self, floors: &[Floor]);

    /// The highest floor of this key that is known here; 0 if there is none.
    fn floor_of(&self, key: &str) -> i64;

    /// How far it reaches just now.
    fn reach(&self) -> Reach;
}
