//! Minimum versions that this process may return.

use std::sync::Arc;
use std::time::Duration;

use foretell_expiring_map::{Change, ExpiringMap, Expiry};
use foretell_ports::cache::MinVersion;

/// Lifetime of a minimum version: longer than any read of storage that began before it.
pub(crate) const MIN_VERSIONS_KEPT: Duration = Duration::from_secs(15);

/// Minimum versions by key. Their number is not limited: evicting one early would allow an outdated
/// version.
#[derive(Debug)]
pub(crate) struct MinVersions(ExpiringMap<Arc<str>, i64>);

impl MinVersions {
    pub(crate) fn new() -> Self {
        Self(ExpiringMap::unbounded(Expiry::AfterWrite(MIN_VERSIONS_KEPT)))
    }

    /// Returns the minimum version of a key; 0 if there is none.
    pub(crate) fn of(&self, key: &str) -> i64 {
        self.0.get(key).unwrap_or(0)
    }

    /// Raises a minimum version; a lower one has no effect. Returns `true` if it was raised.
    pub(crate) fn raise(&self, min_version: &MinVersion) -> bool {
        self.0.change(Arc::clone(&min_version.key), |held| match held {
            Some(held) if *held >= min_version.version => Change::Keep,
            _ => Change::Put(min_version.version),
        })
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
