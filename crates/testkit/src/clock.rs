//! A clock that stands still until a test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use foretell_domain::time::Timestamp;
use foretell_ports::system::Clock;

/// Noon of 2026-01-01 in UTC: the start time of a [`FakeClock`].
pub const START: Timestamp = Timestamp::from_micros(1_767_268_800_000_000);

/// A clock controlled by tests; all clones are the same clock.
#[derive(Debug, Clone)]
pub struct FakeClock(Arc<AtomicI64>);

impl FakeClock {
    /// Creates a clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.micros())))
    }

    /// Sets it to `now`, which may be in its past.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.micros(), Ordering::SeqCst);
    }

    /// Moves it forward.
    pub fn advance_seconds(&self, seconds: i64) {
        self.advance_micros(seconds.saturating_mul(1_000_000));
    }

    /// Moves it forward by less than a second.
    pub fn advance_micros(&self, micros: i64) {
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Default for FakeClock {
    /// Returns a clock that shows [`START`].
    fn default() -> Self {
        Self::at(START)
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_show_the_same_time() {
        let clock = FakeClock::default();
        let other = clock.clone();
        clock.advance_seconds(2);
        other.advance_micros(1);
        assert_eq!(clock.now().micros(), START.micros() + 2_000_001);
        clock.set(START);
        assert_eq!(other.now(), START);
    }
}
