//! Time and ids, which tests can replace.

use foretell_domain::time::Timestamp;

/// Source of the current time.
pub trait Clock: Send + Sync {
    /// Returns the current time, in UTC.
    fn now(&self) -> Timestamp;
}

/// Source of new ids.
pub trait IdSource: Send + Sync {
    /// Returns the bits of a new `UUIDv7`; always unique, and ascending within one process.
    fn next_id(&self) -> u128;
}
