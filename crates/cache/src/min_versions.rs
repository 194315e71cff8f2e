//! Minimum versions that this process may return.

use std::sync::Arc;
use std::time::Duration;

use foretell_ports::cache::MinVersion;
use moka::ops::compute::Op;
use moka::sync::Cache;

/// Lifetime of a minimum version: longer than any read of storage that began before it.
pub(crate) const MIN_VERSIONS_KEPT: Duration = Duration::from_secs(15);

/// Minimum versions by key. Their number is not limited: evicting one early would allow an outdated
/// version.
#[derive(Debug)]
pub(crate) struct MinVersions(Cache<Arc<str>, i64>);

impl MinVersions {
    pub(crate) fn new() -> Self {
        Self(Cache::builder().time_to_live(MIN_VERSIONS_KEPT).build())
    }

    /// Returns the minimum version of a key; 0 if there is none.
    pub(crate) fn of(&self, key: &str) -> i64 {
        self.0.get(key).unwrap_or(0)
    }

    /// Raises a minimum version; a lower one has no effect. Returns `true` if it was raised.
    pub(crate) fn raise(&self, min_version: &MinVersion) -> bool {
        // Most calls repeat a known minimum, and a read is cheaper than the entry's lock.
        if self.of(&min_version.key) >= min_version.version {
            return false;
        }
        // Compared again under the lock of the entry: another thread may have raised it in between.
        let raise = |held: Option<moka::Entry<_, i64>>| match held {
            Some(held) if *held.value() >= min_version.version => Op::Nop,
            _ => Op::Put(min_version.version),
        };
        self.0.entry(Arc::clone(&min_version.key)).and_compute_with(raise);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn min_versions_only_rise() {
        let min_versions = MinVersions::new();
        let raise = |version| min_versions.raise(&MinVersion { key: "a".into(), version });
        assert_eq!(min_versions.of("a"), 0);
        assert!(raise(2));
        assert!(!raise(1));
        assert!(!raise(2));
        assert_eq!(min_versions.of("a"), 2);
        assert!(raise(3));
        assert_eq!((min_versions.of("a"), min_versions.of("b")), (3, 0));
    }
}
