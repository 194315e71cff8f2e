//! Retry policies of jobs: the number of attempts and the pauses between them.

use std::collections::BTreeMap;
use std::time::Duration;

use foretell_domain::job::JobKind;

/// Maximum pause between two attempts of the first series.
const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// First pause of the slow series; each is twice as long as the previous one.
const SLOW_FIRST_PAUSE: Duration = Duration::from_mins(15);

/// Maximum pause of the slow series.
const SLOW_LONGEST_PAUSE: Duration = Duration::from_hours(6);

/// Retry policy of one kind of job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Number of attempts of the first series, 1 or more.
    pub attempts: u32,
    /// Pause after the first attempt.
    pub first_delay: Duration,
    /// Factor by which each pause exceeds the previous one; 1 keeps it the same.
    pub factor: u32,
    /// Duration of a slow second series since the first attempt; `None` means that the job then
    /// becomes dead.
    pub slow_until: Option<Duration>,
}

impl RetryPolicy {
    /// Returns the pause after so many failed attempts, 1 or more; `None` after the last one.
    /// `chance`, from 0 to 1, adds up to a quarter or subtracts it (jitter), so that jobs that
    /// failed together are not retried together.
    pub fn pause_after(&self, failures: u32, chance: f64) -> Option<Duration> {
        Some(self.pause(failures.max(1))?.mul_f64(0.75 + chance.clamp(0.0, 1.0) / 2.0))
    }

    fn pause(&self, failures: u32) -> Option<Duration> {
        if failures < self.attempts {
            return Some(grown(self.first_delay, self.factor, failures - 1, LONGEST_PAUSE));
        }
        let mut left = self.slow_until?;
        let first_series =
            (1..self.attempts).map(|n| grown(self.first_delay, self.factor, n - 1, LONGEST_PAUSE));
        for pause in first_series {
            left = left.checked_sub(pause)?;
        }
        // No pause is zero, so that the iteration ends however many failures there are.
        let slow_series = (0..=failures - self.attempts)
            .map(|n| grown(SLOW_FIRST_PAUSE, 2, n, SLOW_LONGEST_PAUSE));
        let mut last = None;
        for pause in slow_series {
            left = left.checked_sub(pause)?;
            last = Some(pause);
        }
        last
    }

    /// Describes an attempt, such as `attempt 2 of 3`.
    pub fn describe(&self, attempt: u32) -> String {
        match self.slow_until {
            Some(end) if attempt > self.attempts => {
                format!("attempt {attempt}, tried for {} hours", end.as_secs() / 3_600)
            }
            _ => format!("attempt {attempt} of {}", self.attempts),
        }
    }
}

/// Returns a pause that has grown so many times, limited to the maximum.
fn grown(first: Duration, factor: u32, times: u32, longest: Duration) -> Duration {
    let factor = factor.checked_pow(times).unwrap_or(u32::MAX);
    first.checked_mul(factor).unwrap_or(longest).min(longest)
}

/// Returns the pause before the next attempt: ours, or the longer one that the other side requests,
/// up to the maximum.
pub(crate) fn pause_for(ours: Duration, retry_after: Option<Duration>) -> Duration {
    retry_after.map_or(ours, |wanted| ours.max(wanted.min(LONGEST_PAUSE)))
}

/// Retry policies of all kinds of jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicies(BTreeMap<JobKind, RetryPolicy>);

impl RetryPolicies {
    /// Returns the policy of a kind.
    pub fn of(&self, kind: JobKind) -> RetryPolicy {
        self.0.get(&kind).copied().unwrap_or_else(|| default_policy(kind))
    }
}

impl Default for RetryPolicies {
    fn default() -> Self {
        Self(JobKind::ALL.into_iter().map(|kind| (kind, default_policy(kind))).collect())
    }
}

/// A kind that is left out has its default.
impl FromIterator<(JobKind, RetryPolicy)> for RetryPolicies {
    fn from_iter<I: IntoIterator<Item = (JobKind, RetryPolicy)>>(policies: I) -> Self {
        Self(policies.into_iter().collect())
    }
}

/// Returns the default policy of a kind.
const fn default_policy(kind: JobKind) -> RetryPolicy {
    let (attempts, first_delay_s, factor) = match kind {
        // A slow series follows for emails; the periodic schedule repeats the others.
        JobKind::WelcomeMail
        | JobKind::DecisionMail
        | JobKind::PurgeOutcomes
        | JobKind::PurgeSessions
        | JobKind::PurgeJobs => (3, 2, 2),
        // About three and a half days.
        JobKind::Webhook => (10, 5, 6),
        // Trading ends at the end date whatever this job does; the others fail only if storage
        // fails.
        JobKind::CloseMarket | JobKind::EmbedMarket | JobKind::EmbedPost | JobKind::EmbedAll => {
            (10, 2, 4)
        }
    };
    let slow_until = match kind {
        // A mail server may be down for a day.
        JobKind::WelcomeMail | JobKind::DecisionMail => Some(Duration::from_hours(24)),
        _ => None,
    };
    RetryPolicy { attempts, first_delay: Duration::from_secs(first_delay_s), factor, slow_until }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses_s(policy: RetryPolicy, chance: f64) -> Vec<f64> {
        (1..)
            .map_while(|failures| policy.pause_after(failures, chance))
            .map(|p| p.as_secs_f64())
            .collect()
    }

    fn policy(attempts: u32, first_s: u64, factor: u32, slow_hours: Option<u64>) -> RetryPolicy {
        let slow_until = slow_hours.map(Duration::from_hours);
        RetryPolicy { attempts, first_delay: Duration::from_secs(first_s), factor, slow_until }
    }

    #[test]
    fn pauses_grow_and_end() {
        assert_eq!(pauses_s(policy(3, 2, 2, None), 0.5), [2.0, 4.0]);
        assert_eq!(pauses_s(policy(3, 2, 2, None), 0.0), [1.5, 3.0]);
        assert_eq!(pauses_s(policy(3, 2, 2, None), 1.0), [2.5, 5.0]);
        assert_eq!(pauses_s(policy(4, 7, 1, None), 0.5), [7.0, 7.0, 7.0]);
        assert_eq!(pauses_s(policy(1, 7, 3, None), 0.5), [0.0; 0]);
        assert_eq!(pauses_s(policy(4, 80_000, 9, None), 0.5), [80_000.0, 86_400.0, 86_400.0]);
        assert_eq!(policy(u32::MAX, 1, u32::MAX, None).pause(u32::MAX - 1), Some(LONGEST_PAUSE));
        assert_eq!(policy(3, 2, 2, None).pause_after(u32::MAX, 0.5), None);
    }

    #[test]
    fn slow_series_follows_until_its_end() {
        let minutes = |pauses: &[f64]| pauses.iter().map(|pause| pause / 60.0).collect::<Vec<_>>();
        let pauses = pauses_s(policy(3, 2, 2, Some(2)), 0.5);
        assert_eq!(pauses[..2], [2.0, 4.0]);
        assert_eq!(minutes(&pauses[2..]), [15.0, 30.0, 60.0]);
        assert_eq!(pauses_s(policy(3, 2, 2, Some(0)), 0.5), [2.0, 4.0]);
        assert_eq!(policy(3, 2, 2, Some(720)).pause_after(u32::MAX, 0.5), None);
    }

    #[test]
    fn emails_and_webhooks_are_retried_for_days() {
        let policies = RetryPolicies::default();
        for (kind, least_hours, most_hours) in [
            (JobKind::WelcomeMail, 15, 24),
            (JobKind::DecisionMail, 15, 24),
            (JobKind::Webhook, 72, 96),
        ] {
            let all = Duration::from_secs_f64(pauses_s(policies.of(kind), 0.5).iter().sum());
            assert!(all >= Duration::from_hours(least_hours), "{kind:?}: {all:?}");
            assert!(all <= Duration::from_hours(most_hours), "{kind:?}: {all:?}");
        }
    }

    #[test]
    fn retry_after_lengthens_pauses_up_to_maximum() {
        let seconds = Duration::from_secs;
        assert_eq!(pause_for(seconds(5), None), seconds(5));
        assert_eq!(pause_for(seconds(5), Some(seconds(0))), seconds(5));
        assert_eq!(pause_for(seconds(5), Some(seconds(600))), seconds(600));
        assert_eq!(pause_for(seconds(900), Some(seconds(600))), seconds(900));
        assert_eq!(pause_for(seconds(5), Some(Duration::MAX)), LONGEST_PAUSE);
    }

    #[test]
    fn attempts_are_described() {
        let email = RetryPolicies::default().of(JobKind::WelcomeMail);
        assert_eq!(email.describe(2), "attempt 2 of 3");
        assert_eq!(email.describe(5), "attempt 5, tried for 24 hours");
    }
}
