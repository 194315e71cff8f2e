//! In-memory adapters, fake clock, builders and the contract suites; for tests only. Depends on the
//! domain and the ports, and on no other adapter.
//!
//! [`MemoryStore`] replaces a database in the tests of everything above the ports, and
//! [`contract_suite!`] checks it and every real adapter against the same contract.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a library for tests: a fixture that cannot be made is a failed test"
)]

mod announcements;
pub mod builders;
pub mod cache_contract;
pub mod clock;
pub mod contract;
pub mod external;
pub mod faults;
pub mod ids;
pub mod intercepted;
pub mod memory;
pub mod memory_cache;
pub mod secrets;

pub use announcements::Announcements;
pub use builders::Factory;
pub use clock::FakeClock;
pub use external::{MemoryMailer, MemoryWebhooks, PlainBodies};
pub use faults::{Fault, FaultyStore};
pub use ids::SeededIds;
pub use memory::MemoryStore;
pub use memory_cache::{MemoryCache, MemoryRateLimiter};
pub use secrets::{PlainPasswordHasher, SeededTokens, new_password};
