//! Limits of wrong passwords, by email address and by network.
//!
//! An attempt takes tokens from its buckets before the password is checked, so that concurrent
//! guesses are limited too, and returns them unless the password was wrong: correct sign-ins are
//! never limited. A network from which the user has signed in before has its own bucket for that
//! user, so that nobody can lock them out by guessing from elsewhere. The buckets belong to the
//! rate limiter: shared by all nodes with a common Redis, and local while Redis is down.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use foretell_domain::text::Email;
use foretell_domain::time::Timestamp;
use foretell_ports::known_network::KnownNetwork;
use foretell_ports::rate_limit::{Budget, RateLimiter};
use foretell_ports::user::UserQueries;
use sha2::{Digest as _, Sha256};

use crate::AppError;
use crate::client_network::{ClientNetwork, network_of};

/// Maximum numbers of wrong passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginLimits {
    /// For one email address within the window, whether it is registered or not; at least 1.
    pub per_account: u32,
    /// From one client network within the window; at least 1.
    pub per_address: u32,
    /// Time in which an empty bucket refills, a second to a day.
    pub window: Duration,
}

impl Default for LoginLimits {
    fn default() -> Self {
        Self { per_account: 10, per_address: 300, window: Duration::from_mins(15) }
    }
}

/// Time for which a network is known after its last use, in seconds: 90 days.
pub(crate) const KNOWN_FOR_S: i64 = 90 * 24 * 3_600;

/// Age of the stored last use after which a sign-in updates it, in seconds: a day.
const REFRESHED_AFTER_S: i64 = 24 * 3_600;

/// Maximum number of a user's known networks; the least recently used ones are deleted.
pub(crate) const MAX_KNOWN_NETWORKS: u32 = 10;

/// Counter of wrong passwords.
pub(crate) struct LoginGuard {
    limiter: Arc<dyn RateLimiter>,
    users: Arc<dyn UserQueries>,
    account: Budget,
    address: Budget,
}

impl LoginGuard {
    /// Creates a guard that counts in the buckets of `limiter`.
    pub(crate) fn new(
        limits: LoginLimits,
        limiter: Arc<dyn RateLimiter>,
        users: Arc<dyn UserQueries>,
    ) -> Self {
        let budget = |quota| Budget { quota, window: limits.window };
        Self {
            limiter,
            users,
            account: budget(limits.per_account),
            address: budget(limits.per_address),
        }
    }

    /// Counts an attempt as a failure, until it is forgiven.
    ///
    /// # Errors
    /// [`AppError::TooManyAttempts`] if there were too many from this network or for this email
    /// address; [`AppError::Store`].
    pub(crate) async fn begin(
        &self,
        email: &Email,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<Attempt, AppError> {
        let limiter = Arc::clone(&self.limiter);
        let mut attempt =
            Attempt { limiter, taken: Vec::new(), network: network_of(from), last_used_at: None };
        for network in ClientNetwork::all(from) {
            let budget = Budget { quota: network.scaled(self.address.quota), ..self.address };
            attempt.take(format!("limit:password:from:{network}"), budget, now).await?;
        }
        // The same query for registered and unknown email addresses, so that the cost does not
        // reveal them.
        match self.users.find_known_network(email, attempt.network).await {
            Ok(last_used_at) => attempt.last_used_at = last_used_at,
            Err(error) => {
                attempt.forgive(now).await;
                return Err(error.into());
            }
        }
        let account = bucket_of(email);
        let bucket = if is_within(attempt.last_used_at, KNOWN_FOR_S, now) {
            format!("limit:password:of:{account}:from:{}", ClientNetwork::host(from))
        } else {
            format!("limit:password:of:{account}")
        };
        attempt.take(bucket, self.account, now).await?;
        Ok(attempt)
    }
}

/// An attempt to enter a password. It counts as a failure unless it is forgiven.
#[must_use]
pub(crate) struct Attempt {
    limiter: Arc<dyn RateLimiter>,
    taken: Vec<(String, Budget)>,
    network: IpAddr,
    /// Recorded time of the user's last sign-in from this network.
    last_used_at: Option<Timestamp>,
}

impl Attempt {
    async fn take(
        &mut self,
        bucket: String,
        budget: Budget,
        now: Timestamp,
    ) -> Result<(), AppError> {
        let verdict = self.limiter.take(&bucket, budget, 1, now).await;
        if let Some(retry_after) = verdict.refused_for {
            return Err(AppError::TooManyAttempts { retry_after });
        }
        self.taken.push((bucket, budget));
        Ok(())
    }

    /// Returns the network to record as known if the user signs in; `None` if that was done less
    /// than a day ago.
    pub(crate) fn network_to_record(&self, now: Timestamp) -> Option<KnownNetwork> {
        let is_fresh = is_within(self.last_used_at, REFRESHED_AFTER_S, now);
        (!is_fresh).then_some(KnownNetwork { network: self.network, last_used_at: now })
    }

    /// Ends the attempt: it counts as a failure only if the password was wrong.
    pub(crate) async fn end<T>(self, result: &Result<T, AppError>, now: Timestamp) {
        let is_wrong = matches!(result, Err(AppError::BadCredentials | AppError::WrongPassword));
        if !is_wrong {
            self.forgive(now).await;
        }
    }

    /// Gives the tokens back: the password was right, or was not checked.
    async fn forgive(self, now: Timestamp) {
        for (bucket, budget) in self.taken {
            self.limiter.give_back(&bucket, budget, 1, now).await;
        }
    }
}

/// Returns `true` if a time lies less than so many seconds in the past.
fn is_within(at: Option<Timestamp>, seconds: i64, now: Timestamp) -> bool {
    at.is_some_and(|at| at.plus_seconds(seconds) > now)
}

/// Returns the bucket name of an email address: a hash, so that Redis stores no addresses.
fn bucket_of(email: &Email) -> String {
    let hash: [u8; 32] = Sha256::digest(email.as_str()).into();
    let half = hash.first_chunk().copied().map_or(0, u128::from_be_bytes);
    format!("{half:032x}")
}

#[cfg(test)]
mod tests {
    use foretell_testkit::{MemoryRateLimiter, MemoryStore};

    use super::*;

    const HOME: &str = "192.0.2.1";
    const ELSEWHERE: &str = "198.51.100.7";

    fn guard() -> LoginGuard {
        let limits =
            LoginLimits { per_account: 3, per_address: 5, window: Duration::from_secs(30) };
        LoginGuard::new(
            limits,
            Arc::new(MemoryRateLimiter::default()),
            Arc::new(MemoryStore::new()),
        )
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    async fn begin(
        guard: &LoginGuard,
        who: &str,
        from: &str,
        seconds: i64,
    ) -> Result<Attempt, u64> {
        let email = Email::new(&format!("{who}@example.org")).unwrap();
        let begun = guard.begin(&email, from.parse().unwrap(), at(seconds)).await;
        begun.map_err(|error| match error {
            AppError::TooManyAttempts { retry_after } => retry_after.as_secs(),
            other => panic!("{other}"),
        })
    }

    /// Fails so many times, or returns the seconds to wait.
    async fn fail(guard: &LoginGuard, who: &str, from: &str, times: usize) -> Result<(), u64> {
        for _ in 0..times {
            drop(begin(guard, who, from, 0).await?);
        }
        Ok(())
    }

    #[tokio::test]
    async fn account_failures_are_limited_and_refill_evenly() {
        let guard = guard();
        assert_eq!(fail(&guard, "ada", HOME, 3).await, Ok(()));
        assert_eq!(
            begin(&guard, "ada", ELSEWHERE, 0).await.err(),
            Some(10),
            "wherever they are from"
        );
        assert_eq!(begin(&guard, "ada", ELSEWHERE, 4).await.err(), Some(6));
        assert!(begin(&guard, "ada", ELSEWHERE, 10).await.is_ok());
        assert_eq!(begin(&guard, "ada", ELSEWHERE, 10).await.err(), Some(10));
        assert!(begin(&guard, "ben", HOME, 0).await.is_ok());
    }

    #[tokio::test]
    async fn failures_are_limited_by_address() {
        let guard = guard();
        for who in ["a", "b", "c", "d", "e"] {
            assert_eq!(fail(&guard, who, HOME, 1).await, Ok(()));
        }
        assert_eq!(begin(&guard, "f", HOME, 0).await.err(), Some(6));
        assert!(begin(&guard, "f", ELSEWHERE, 0).await.is_ok());
    }

    #[tokio::test]
    async fn ipv6_failures_are_limited_by_network_prefixes() {
        let guard = guard();
        for host in 1..=5 {
            let from = format!("2001:db8:1:2::{host}");
            assert_eq!(fail(&guard, &format!("u{host}"), &from, 1).await, Ok(()));
        }
        assert!(begin(&guard, "f", "2001:db8:1:2:ffff::", 0).await.is_err());
        let mut allowed = 5;
        for net in 3..100 {
            let from = format!("2001:db8:1:{net}::1");
            allowed += u32::from(begin(&guard, &format!("n{net}"), &from, 0).await.is_ok());
        }
        assert_eq!(allowed, 80, "sixteen times as many as from one address");
        assert!(begin(&guard, "f", "2001:db8:2:3::1", 0).await.is_ok());
    }

    #[tokio::test]
    async fn pending_attempts_count_and_successes_do_not() {
        let guard = guard();
        for _ in 0..20 {
            begin(&guard, "ada", HOME, 0).await.unwrap().forgive(at(0)).await;
        }
        let mut under_way = Vec::new();
        for _ in 0..3 {
            under_way.push(begin(&guard, "ben", HOME, 0).await.unwrap());
        }
        assert!(begin(&guard, "ben", HOME, 0).await.is_err(), "three are being looked at");
        for attempt in under_way {
            attempt.forgive(at(0)).await;
        }
        assert!(begin(&guard, "ben", HOME, 0).await.is_ok());
    }

    #[tokio::test]
    async fn clock_set_back_locks_nobody_out() {
        let guard = guard();
        for seconds in [1_000_000, 1_000_000, 1_000_000, 0, 0, 0] {
            assert!(begin(&guard, "ada", HOME, seconds).await.is_ok(), "{seconds}");
        }
        assert_eq!(begin(&guard, "ada", HOME, 0).await.err(), Some(10));
    }

    #[test]
    fn network_is_recorded_when_new_or_a_day_old() {
        let attempt = |last_used_at| Attempt {
            limiter: Arc::new(MemoryRateLimiter::default()),
            taken: Vec::new(),
            network: HOME.parse().unwrap(),
            last_used_at,
        };
        let now = at(1_000_000);
        let known = Some(KnownNetwork { network: HOME.parse().unwrap(), last_used_at: now });
        assert_eq!(attempt(None).network_to_record(now), known);
        assert_eq!(attempt(Some(at(1_000_000 - 86_400))).network_to_record(now), known);
        assert_eq!(attempt(Some(at(1_000_000 - 86_399))).network_to_record(now), None);
    }

    #[test]
    fn buckets_hold_no_email_address() {
        let email = Email::new("ada@example.org").unwrap();
        let bucket = bucket_of(&email);
        assert_eq!(bucket.len(), 32);
        assert!(bucket.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(bucket, bucket_of(&Email::new("ben@example.org").unwrap()));
    }
}
