//! How long a command would wait for a lane, by how long the turns of the lane have taken and the present one takes.
//!
//! It is better to turn a command away at once than after a second: while more come than can be done, most of those
//! that wait would wait in vain.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// What stands for no turn.
const IDLE: u64 = u64::MAX;

/// The turns of a lane, which takes up to a batch of commands each time; the lane writes it, callers read it.
#[derive(Debug)]
pub(super) struct Pace {
    /// What moments are counted from.
    origin: Instant,
    /// How long turns take, in microseconds: half of it what the last one took.
    usual_us: AtomicU64,
    /// When the present turn began, in microseconds from the origin.
    begun_us: AtomicU64,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { origin: Instant::now(), usual_us: AtomicU64::new(0), begun_us: AtomicU64::new(IDLE) }
    }

    /// Says that a turn begins.
    pub(super) fn begin(&self) {
        self.begun_us.store(self.us_until(Instant::now()), Ordering::Relaxed);
    }

    /// Says that it has ended.
    pub(super) fn end(&self) {
        let begun_us = self.begun_us.swap(IDLE, Ordering::Relaxed);
        let took_us = self.us_until(Instant::now()).saturating_sub(begun_us);
        let usual_us = self.usual_us.load(Ordering::Relaxed);
        self.usual_us.store(usual_us.midpoint(took_us), Ordering::Relaxed);
    }

    /// How long a command that comes now waits for its turn after so many whole batches. A turn that takes longer than
    /// usual is expected to take as much longer again.
    pub(super) fn expected_wait(&self, now: Instant, batches: usize) -> Duration {
        let usual_us = self.usual_us.load(Ordering::Relaxed);
        let rest_us = match self.begun_us.load(Ordering::Relaxed) {
            IDLE => 0,
            begun_us => self.us_until(now).saturating_sub(begun_us).abs_diff(usual_us),
        };
        let batches = u64::try_from(batches).unwrap_or(u64::MAX);
        Duration::from_micros(rest_us.saturating_add(usual_us.saturating_mul(batches)))
    }

    fn us_until(&self, moment: Instant) -> u64 {
        u64::try_from(moment.duration_since(self.origin).as_micros()).unwrap_or(IDLE - 1)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    async fn turn(pace: &Pace, millis: u64) {
        pace.begin();
        advance(Duration::from_millis(millis)).await;
        pace.end();
    }

    fn check(pace: &Pace, batches: usize, millis: u64) {
        assert_eq!(pace.expected_wait(Instant::now(), batches), Duration::from_millis(millis), "{pace:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_that_is_idle_lets_nobody_wait() {
        let pace = Pace::new();
        check(&pace, 0, 0);
        turn(&pace, 5_000).await;
        check(&pace, 0, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_waits_for_the_rest_of_the_turn_and_for_the_batches_before() {
        let pace = Pace::new();
        turn(&pace, 80).await;
        check(&pace, 3, 3 * 40);
        pace.begin();
        check(&pace, 0, 40);
        advance(Duration::from_millis(30)).await;
        check(&pace, 2, 10 + 2 * 40);
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_hangs_is_not_expected_to_end() {
        let pace = Pace::new();
        pace.begin();
        advance(Duration::from_secs(3)).await;
        check(&pace, 0, 3_000);
        pace.end();
        check(&pace, 0, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_turn_is_soon_forgotten() {
        let pace = Pace::new();
        turn(&pace, 4_000).await;
        for _ in 0..5 {
            turn(&pace, 0).await;
        }
        assert!(pace.expected_wait(Instant::now(), 1) < Duration::from_millis(100), "{pace:?}");
    }
}
