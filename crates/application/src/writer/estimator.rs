//! Estimates the time that a command would wait for a lane, from the durations of the lane's units
//! of work.
//!
//! It is better to reject a command immediately than after a second: under overload, most of the
//! waiting commands would be rejected in the end anyway.

use std::time::Duration;

use tokio::time::Instant;

/// Durations of the units of work of a lane.
///
/// A unit counts as several if it has a command heavier than the usual unit.
#[derive(Debug, Default)]
pub(super) struct QueueEstimator {
    /// Moving average of the duration of a unit; the last one counts half.
    usual: Duration,
    /// Start of the current unit, and the number of units that it counts as.
    current: Option<(Instant, u32)>,
}

impl QueueEstimator {
    /// Records that a unit begins.
    pub(super) fn begin(&mut self, now: Instant, units: u32) {
        self.current = Some((now, units.max(1)));
    }

    /// Records that the current unit has ended.
    pub(super) fn end(&mut self, now: Instant) {
        if let Some((begun, units)) = self.current.take() {
            // Half for the last unit: a single slow one must not reject commands for long.
            self.usual = (self.usual + (now - begun) / units) / 2;
        }
    }

    /// Returns the wait of a new command if so many whole units are served before it. A unit that
    /// takes longer than usual is expected to take as much longer again.
    pub(super) fn expected_wait(&self, now: Instant, units: usize) -> Duration {
        let rest = match self.current {
            Some((begun, units)) => (now - begun).abs_diff(self.usual.saturating_mul(units)),
            None => Duration::ZERO,
        };
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        rest.saturating_add(self.usual.saturating_mul(units))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn unit(estimator: &mut QueueEstimator, millis: u64, units: u32) {
        let begun = Instant::now();
        estimator.begin(begun, units);
        estimator.end(begun + ms(millis));
    }

    #[test]
    fn idle_lane_has_no_wait() {
        let mut estimator = QueueEstimator::default();
        assert_eq!(estimator.expected_wait(Instant::now(), 0), Duration::ZERO);
        unit(&mut estimator, 5_000, 1);
        assert_eq!(estimator.expected_wait(Instant::now(), 0), Duration::ZERO);
    }

    #[test]
    fn wait_is_rest_of_unit_and_backlog() {
        let mut estimator = QueueEstimator::default();
        unit(&mut estimator, 80, 1);
        let now = Instant::now();
        assert_eq!(estimator.expected_wait(now, 3), ms(3 * 40));
        estimator.begin(now, 1);
        assert_eq!(estimator.expected_wait(now, 0), ms(40));
        assert_eq!(estimator.expected_wait(now + ms(30), 2), ms(10 + 2 * 40));
    }

    #[test]
    fn heavy_unit_counts_as_several() {
        let mut estimator = QueueEstimator::default();
        unit(&mut estimator, 80, 4);
        let now = Instant::now();
        assert_eq!(estimator.expected_wait(now, 1), ms(10));
        estimator.begin(now, 4);
        assert_eq!(estimator.expected_wait(now + ms(10), 0), ms(30));
    }

    #[test]
    fn hanging_unit_increases_expected_wait() {
        let mut estimator = QueueEstimator::default();
        let begun = Instant::now();
        estimator.begin(begun, 1);
        assert_eq!(estimator.expected_wait(begun + ms(3_000), 0), ms(3_000));
        estimator.end(begun + ms(3_000));
        assert_eq!(estimator.expected_wait(begun + ms(3_000), 0), Duration::ZERO);
    }

    #[test]
    fn one_long_unit_affects_few_estimates() {
        let mut estimator = QueueEstimator::default();
        unit(&mut estimator, 4_000, 1);
        for _ in 0..5 {
            unit(&mut estimator, 0, 1);
        }
        assert!(estimator.expected_wait(Instant::now(), 1) < ms(100), "{estimator:?}");
    }
}
