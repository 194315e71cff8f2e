//! In-memory adapters, fake clock, builders and the contract suites; for tests only. It knows the domain and
//! the ports, and no other adapter.
//!
//! [`MemoryStore`] stands in for a database in the tests of everything above the ports.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a library for tests: a fixture that cannot be made is a failed test"
)]

pub mod clock;
pub mod ids;
pub mod memory;
pub mod secrets;

pub use clock::FakeClock;
pub use ids::SeededIds;
pub use memory::MemoryStore;
pub use secrets::{PlainPasswordHasher, SeededTokens};
