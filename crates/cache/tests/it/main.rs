//! Tests of the adapters with a real Redis: the one at `FORETELL_TEST_REDIS_URL`, and others
//! started from the program in `FORETELL_TEST_REDIS_BIN`. `scripts/with-servers cargo test -p
//! foretell-cache` starts one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that meets the unexpected has failed"
)]

// With "cfg(test)", clippy treats helpers as tests, too.
#[cfg(test)]
mod causes;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod forgeries;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod redis;
