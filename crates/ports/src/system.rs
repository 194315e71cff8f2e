//! Time and chance, so that tests can replace both.

use foretell_domain::time::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time now, in UTC.
    fn now(&self) -> Timestamp;
}

/// Makes ids.
pub trait IdSource: Send + Sync {
    /// The bits of a new `UUIDv7`; never the same twice, and within one process each above the one before.
    fn next_id(&self) -> u128;
}
