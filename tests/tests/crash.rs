//! Crashes under load: what was acknowledged is there exactly once, with the answer that was given; what was not
//! is there wholly or not at all, and once after it is sent again; and the money is all there.
//!
//! `FORETELL_TEST_CRASH_CYCLES` asks for a longer run, and `FORETELL_TEST_CRASH_SEED` for other choices. A run
//! that fails is shown with its seed; how the threads of the server and of the clients meet is up to the machine.
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

/// A slow machine is given time: who waits too long is turned away, which is not what this is about.
const PATIENT: [(&str, &str); 2] =
    [("FORETELL__WRITER__MAX_WAIT_MS", "60000"), ("FORETELL__DATABASE__WAIT_MS", "60000")];
