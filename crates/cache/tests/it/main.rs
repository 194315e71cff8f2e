//! The adapters over a real Redis: the one that `FORETELL_TEST_REDIS_URL` names, and others of the program in
//! `FORETELL_TEST_REDIS_BIN`. `scripts/with-servers cargo test -p foretell-cache` starts one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that meets the unexpected has failed"
)]

// "cfg(test)" tells clippy that helpers, too, are tests.
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
