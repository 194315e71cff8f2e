//! The oldest versions that this process may show.

use std::sync::Arc;
use std::time::Duration;

use foretell_ports::cache::MinVersion;
use moka::ops::compute::Op;
use moka::sync::Cache;

/// How long a minimum version is kept: longer than any read of storage that began before it takes.
pub(crate) const MIN_VERSIONS_KEPT: Duration = Duration::from_secs(15);

/// Minimum versions by key. They are not limited in number: one that is pushed out early would bring an old version back.
#[derive(Debug)]
pub(crate) struct MinVersions(Cache<Arc<str>, i64>);

impl MinVersions {
    pub(crate) fn new() -> Self {
        Self(Cache::builder().time_to_live(MIN_VERSIONS_KEPT).build())
    }

    /// The minimum version of a key; 0 if there is none.
    pub(crate) fn of(&self, key: &str) -> i64 {
        self.0.get(key).unwrap_or(0)
    }

    /// Raises a minimum version; a lower one than there is changes nothing. Says whether it is higher now.
    pub(crate) fn raise(&self, min_version: &MinVersion) -> bool {
        if self.of(&min_version.key) >= min_version.version {
            return false;
        }
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
