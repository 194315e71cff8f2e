//! The oldest versions that this process may show.

use std::sync::Arc;
use std::time::Duration;

use foretell_ports::cache::Floor;
use moka::ops::compute::Op;
use moka::sync::Cache;

/// How long a floor is kept: longer than any read of storage that began before it takes.
pub(crate) const FLOORS_KEPT: Duration = Duration::from_secs(15);

/// Floors by key. They are not limited in number: one that is pushed out early would bring an old version back.
#[derive(Debug)]
pub(crate) struct Floors(Cache<Arc<str>, i64>);

impl Floors {
    pub(crate) fn new() -> Self {
        Self(Cache::builder().time_to_live(FLOORS_KEPT).build())
    }

    /// The floor of a key; 0 if there is none.
    pub(crate) fn of(&self, key: &str) -> i64 {
        self.0.get(key).unwrap_or(0)
    }

    /// Raises a floor; a lower one than there is changes nothing. Says whether it is higher now.
    pub(crate) fn raise(&self, floor: &Floor) -> bool {
        if self.of(&floor.key) >= floor.version {
            return false;
        }
        let raise = |held: Option<moka::Entry<_, i64>>| match held {
            Some(held) if *held.value() >= floor.version => Op::Nop,
            _ => Op::Put(floor.version),
        };
        self.0.entry(Arc::clone(&floor.key)).and_compute_with(raise);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floors_only_rise() {
        let floors = Floors::new();
        let raise = |version| floors.raise(&Floor { key: "a".into(), version });
        assert_eq!(floors.of("a"), 0);
        assert!(raise(2));
        assert!(!raise(1));
        assert!(!raise(2));
        assert_eq!(floors.of("a"), 2);
        assert!(raise(3));
        assert_eq!((floors.of("a"), floors.of("b")), (3, 0));
    }
}
