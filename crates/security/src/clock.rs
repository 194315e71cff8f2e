//! System clock.

use std::time::SystemTime;

use foretell_domain::time::Timestamp;
use foretell_ports::system::Clock;

/// The operating system's clock. It may jump, also backwards, when it is set.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    /// Returns the current time; 1970 if the clock is set to an earlier time.
    fn now(&self) -> Timestamp {
        let since_1970 =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn current_time_is_in_microseconds() {
        let in_2025 = 1_735_689_600_000_000;
        let in_2100 = 4_102_444_800_000_000;
        let now = SystemClock.now().micros();
        assert!((in_2025..in_2100).contains(&now), "{now}");
    }
}
