//! Tests of crashes under load: acknowledged commands are stored exactly once, with the returned
//! response; all others are stored completely or not at all, and once after they are sent again;
//! and the ledger is sound. `FORETELL_TEST_CRASH_CYCLES` sets the length of a run, and
//! `FORETELL_TEST_CRASH_SEED` its choices. A failed run prints its seed; the interleaving of
//! threads depends on the machine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "what serves tests fails like a test"
)]

mod auditor;
mod books;
mod command;
mod crowd;
mod disk;
mod frozen;
mod holders;
mod kill;
mod link;
mod outage;
mod overload;
mod promotion;
mod reset;
mod seed;
mod settlement;
mod shutdown;
mod wire;

/// Settings for a slow machine: timeouts are not the subject of this test.
const PATIENT: [(&str, &str); 2] =
    [("FORETELL__WRITER__MAX_WAIT_MS", "60000"), ("FORETELL__DATABASE__WAIT_MS", "60000")];
