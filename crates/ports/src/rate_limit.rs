//! Rate limits by token buckets, which refill evenly.

use std::time::Duration;

use async_trait::async_trait;
use foretell_domain::time::Timestamp;

/// Limit of a token bucket: the burst equals the quota, and it refills evenly over the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Tokens of a full bucket, 1 to 1,000,000.
    pub quota: u32,
    /// Time in which an empty bucket refills, a second to a day.
    pub window: Duration,
}

/// Result of taking tokens from a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Remaining tokens.
    pub remaining: u32,
    /// Time until the bucket is full again.
    pub full_in: Duration,
    /// `None` if the tokens were taken; otherwise the time to wait until they are available.
    pub refused_for: Option<Duration>,
}

/// Named token buckets. There are no errors: a shared limiter that cannot reach its store counts
/// for this process alone.
#[async_trait]
pub trait RateLimiter: Send + Sync {
    /// Takes `cost` tokens, 1 or more, from the bucket with this name; takes none if there are too
    /// few, which is always the case if `cost` exceeds the quota. A new bucket is full. All buckets
    /// with one name must have the same budget. A shared limiter may use its own clock instead of
    /// `now`.
    async fn take(&self, bucket: &str, budget: Budget, cost: u32, now: Timestamp) -> Verdict;

    /// Gives back tokens that were taken from the bucket with this name. It never holds more than
    /// its quota.
    async fn give_back(&self, bucket: &str, budget: Budget, cost: u32, now: Timestamp);
}

impl Budget {
    /// Returns the time in which one token refills, in microseconds; at least one.
    #[must_use]
    pub fn interval_us(self) -> i64 {
        let window_us = i64::try_from(self.window.as_micros()).unwrap_or(i64::MAX / 4);
        (window_us / i64::from(self.quota.max(1))).max(1)
    }

    /// Takes tokens from a bucket, whose whole state is the moment at which it will be full, in
    /// microseconds like `now_us`. Returns the verdict and the new moment, which is the old one if
    /// there were too few tokens.
    #[must_use]
    pub fn take(self, full_at_us: i64, cost: u32, now_us: i64) -> (Verdict, i64) {
        let (interval, quota) = (self.interval_us(), i64::from(self.quota.max(1)));
        let capacity = interval.saturating_mul(quota);
        let wait = full_at_us.saturating_sub(now_us);
        // A later moment is possible only after the clock was set back: then the state is
        // meaningless.
        let wait = if wait > capacity { 0 } else { wait.max(0) };
        let next = wait.saturating_add(interval.saturating_mul(i64::from(cost)));
        if next > capacity {
            let verdict = Verdict {
                remaining: tokens((capacity - wait) / interval),
                full_in: micros(wait),
                refused_for: Some(micros(next - capacity)),
            };
            return (verdict, full_at_us);
        }
        let remaining = tokens((capacity - next) / interval);
        (
            Verdict { remaining, full_in: micros(next), refused_for: None },
            now_us.saturating_add(next),
        )
    }

    /// Returns the moment at which a bucket will be full once tokens are returned to it. A moment
    /// in the past is a full bucket, so that no bucket holds more than its quota.
    #[must_use]
    pub fn give_back(self, full_at_us: i64, cost: u32) -> i64 {
        full_at_us.saturating_sub(self.interval_us().saturating_mul(i64::from(cost)))
    }
}

fn tokens(count: i64) -> u32 {
    u32::try_from(count).unwrap_or(0)
}

fn micros(time_us: i64) -> Duration {
    Duration::from_micros(u64::try_from(time_us).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BUDGET: Budget = Budget { quota: 3, window: Duration::from_secs(30) };

    /// Takes one token at each of these seconds and compares the remaining tokens or the seconds to
    /// wait.
    fn check(seconds: &[i64], expected: &[Result<u32, u64>]) {
        let mut full_at = 0;
        let taken: Vec<_> = seconds
            .iter()
            .map(|second| {
                let (verdict, next) = BUDGET.take(full_at, 1, second * 1_000_000);
                full_at = next;
                verdict.refused_for.map_or(Ok(verdict.remaining), |wait| Err(wait.as_secs()))
            })
            .collect();
        assert_eq!(taken, expected, "{seconds:?}");
    }

    #[test]
    fn tokens_are_taken_at_once_and_refill_evenly() {
        check(&[0, 0, 0, 0], &[Ok(2), Ok(1), Ok(0), Err(10)]);
        check(&[0, 0, 0, 4, 10, 10], &[Ok(2), Ok(1), Ok(0), Err(6), Ok(0), Err(10)]);
        check(&[0, 0, 0, 30, 60], &[Ok(2), Ok(1), Ok(0), Ok(2), Ok(2)]);
    }

    #[test]
    fn clock_set_back_rejects_nobody() {
        check(&[1_000, 1_000, 1_000, 0, 0], &[Ok(2), Ok(1), Ok(0), Ok(2), Ok(1)]);
    }

    #[test]
    fn returned_tokens_can_be_taken_again() {
        let (_, full_at) = BUDGET.take(0, 3, 0);
        let full_at = BUDGET.give_back(full_at, 2);
        let (verdict, full_at) = BUDGET.take(full_at, 2, 0);
        assert_eq!((verdict.remaining, verdict.refused_for), (0, None));
        let more_than_full = BUDGET.give_back(full_at, 100);
        assert!(BUDGET.take(more_than_full, 4, 0).0.refused_for.is_some());
    }

    #[test]
    fn cost_above_quota_is_rejected() {
        assert!(BUDGET.take(0, 4, 0).0.refused_for.is_some());
        assert_eq!(BUDGET.take(0, 3, 0).0.remaining, 0);
    }

    proptest! {
        #[test]
        fn no_window_exceeds_twice_the_quota(
            quota in 1_u32..50,
            window_s in 1_u64..100,
            pauses in prop::collection::vec(0_i64..3_000_000, 1..300),
        ) {
            let budget = Budget { quota, window: Duration::from_secs(window_s) };
            let window_us = i64::try_from(window_s).unwrap() * 1_000_000;
            let (mut now, mut full_at, mut taken) = (0_i64, 0, Vec::new());
            for pause in pauses {
                now += pause;
                let (verdict, next) = budget.take(full_at, 1, now);
                prop_assert!(verdict.remaining < quota.max(1));
                prop_assert!(verdict.full_in <= budget.window);
                if verdict.refused_for.is_none() {
                    taken.push(now);
                } else {
                    prop_assert_eq!(next, full_at, "a refusal takes nothing");
                }
                full_at = next;
                let recent = taken.iter().filter(|at| **at > now - window_us).count();
                prop_assert!(recent <= 2 * usize::try_from(quota).unwrap());
            }
        }

        #[test]
        fn request_after_retry_time_is_accepted(
            quota in 1_u32..50,
            window_s in 1_u64..100,
            now in 0_i64..1_000_000_000,
        ) {
            let budget = Budget { quota, window: Duration::from_secs(window_s) };
            let mut full_at = 0;
            let wait = loop {
                let (verdict, next) = budget.take(full_at, 1, now);
                full_at = next;
                if let Some(wait) = verdict.refused_for {
                    break i64::try_from(wait.as_micros()).unwrap();
                }
            };
            prop_assert!(wait > 0);
            prop_assert!(budget.take(full_at, 1, now + wait - 1).0.refused_for.is_some());
            prop_assert!(budget.take(full_at, 1, now + wait).0.refused_for.is_none());
        }
    }
}
