//! The seed of a test's choices, printed when the test fails.

use foretell_tests::{Chance, number};

/// Prints the seed if the test that holds it fails.
pub(super) struct Seed(u64);

impl Seed {
    /// Returns the configured seed, or the default.
    pub(super) fn given() -> Self {
        Self(number("FORETELL_TEST_CRASH_SEED", 1) as u64)
    }

    /// Returns independent choices for one part of the test.
    pub(super) fn chance(&self, part: usize) -> Chance {
        let mut mixed = Chance::new(self.0.wrapping_mul(1 << 32).wrapping_add(part as u64));
        Chance::new(mixed.below(usize::MAX) as u64)
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was FORETELL_TEST_CRASH_SEED={}", self.0);
        }
    }
}
