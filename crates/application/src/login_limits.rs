//! Limits the guessing of passwords, by mail address and by the address of the client.
//!
//! An attempt is counted before the password is looked at, so that guesses at the same time are limited too,
//! and given back once it turns out to be none: who knows the password is never limited by signing in. An
//! address from which a user has signed in before has a limit of its own for that user, so that nobody
//! can lock them out by guessing from elsewhere. All of it is in this process, and is gone with it.

use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use foretell_domain::text::Email;
use foretell_domain::time::Timestamp;
use moka::sync::Cache;

use crate::AppError;
use crate::client_network::network_of;

/// How many wrong passwords are borne with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginLimits {
    /// For one mail address within the window, whether anybody has it or not; at least 1.
    pub per_account: u32,
    /// From one address of a client within the window; at least 1.
    pub per_address: u32,
    /// The time after which all attempts are there again; they come back one by one.
    pub window: Duration,
}

impl Default for LoginLimits {
    fn default() -> Self {
        Self { per_account: 10, per_address: 300, window: Duration::from_mins(15) }
    }
}

/// The most mail addresses, and the most addresses of clients, that are kept an eye on; the longest unseen go
/// first.
const MAX_WATCHED: u64 = 50_000;
/// How long it is remembered from where a user has signed in.
const FAMILIAR_FOR: Duration = Duration::from_hours(30 * 24);

/// Counts attempts to sign in.
pub(crate) struct LoginGuard {
    account: Rate,
    address: Rate,
    accounts: Cache<Email, Arc<Allowance>>,
    addresses: Cache<IpAddr, Arc<Allowance>>,
    /// The addresses that users have signed in from.
    familiar: Cache<(Email, IpAddr), Arc<Allowance>>,
}

impl LoginGuard {
    pub(crate) fn new(limits: LoginLimits) -> Self {
        Self {
            account: Rate::new(limits.per_account, limits.window),
            address: Rate::new(limits.per_address, limits.window),
            accounts: watched(limits.window),
            addresses: watched(limits.window),
            familiar: Cache::builder().max_capacity(MAX_WATCHED).time_to_idle(FAMILIAR_FOR).build(),
        }
    }

    /// Counts an attempt as a failure, until it says otherwise.
    ///
    /// # Errors
    /// [`AppError::TooManyAttempts`] if there were too many from this address or for this mail address.
    pub(crate) fn begin(&self, email: &Email, from: IpAddr, now: Timestamp) -> Result<Attempt<'_>, AppError> {
        let place = network_of(from);
        let address = self.addresses.get_with(place, Arc::default);
        let familiar = self.familiar.get(&(email.clone(), place));
        let account = familiar.unwrap_or_else(|| self.accounts.get_with(email.clone(), Arc::default));
        let refused = |retry_after| AppError::TooManyAttempts { retry_after };
        address.take(self.address, now).map_err(refused)?;
        account.take(self.account, now).map_err(refused)?;
        Ok(Attempt { guard: self, address, account, whose: (email.clone(), place) })
    }
}

/// An attempt to sign in, which has failed unless it says otherwise before it is dropped.
#[must_use]
pub(crate) struct Attempt<'a> {
    guard: &'a LoginGuard,
    address: Arc<Allowance>,
    account: Arc<Allowance>,
    whose: (Email, IpAddr),
}

impl Attempt<'_> {
    /// The password was right: the attempt does not count, and its address is familiar from now on.
    pub(crate) fn succeed(self) {
        self.guard.familiar.get_with(self.whose.clone(), Arc::default);
        self.forgive();
    }

    /// The password was not looked at: the attempt does not count.
    pub(crate) fn forgive(self) {
        self.address.give_back(self.guard.address);
        self.account.give_back(self.guard.account);
    }
}

/// Allowances by what they are for. One that has not been used for a window is whole again and need not be kept.
fn watched<K: Hash + Eq + Send + Sync + 'static>(window: Duration) -> Cache<K, Arc<Allowance>> {
    Cache::builder().max_capacity(MAX_WATCHED).time_to_idle(window.saturating_mul(2)).build()
}

/// How fast attempts come back.
#[derive(Debug, Clone, Copy)]
struct Rate {
    interval_us: i64,
    window_us: i64,
}

impl Rate {
    fn new(attempts: u32, window: Duration) -> Self {
        let window_us = i64::try_from(window.as_micros()).unwrap_or(i64::MAX / 4);
        Self { interval_us: (window_us / i64::from(attempts.max(1))).max(1), window_us }
    }
}

/// How many attempts are left, told by the time at which all of them will be: each one taken puts it off.
#[derive(Debug, Default)]
struct Allowance(AtomicI64);

impl Allowance {
    /// Takes an attempt, or says how long to wait for one.
    fn take(&self, rate: Rate, now: Timestamp) -> Result<(), Duration> {
        let now = now.micros();
        let put_off = |whole_at: i64| {
            // Later than a window from now it can only be after the clock was set back: then it says nothing.
            let is_sound = whole_at <= now.saturating_add(rate.window_us);
            let whole_at = if is_sound { whole_at.max(now) } else { now };
            whole_at.saturating_add(rate.interval_us)
        };
        let taken = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |whole_at| {
            Some(put_off(whole_at)).filter(|next| next - now <= rate.window_us)
        });
        taken.map(drop).map_err(|whole_at| {
            let wait_us = put_off(whole_at) - now - rate.window_us;
            Duration::from_micros(u64::try_from(wait_us).unwrap_or(0))
        })
    }

    /// Gives back an attempt that was taken.
    fn give_back(&self, rate: Rate) {
        self.0.fetch_sub(rate.interval_us, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "192.0.2.1";
    const ELSEWHERE: &str = "198.51.100.7";

    fn guard() -> LoginGuard {
        LoginGuard::new(LoginLimits { per_account: 3, per_address: 5, window: Duration::from_secs(30) })
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn begin<'a>(guard: &'a LoginGuard, who: &str, from: &str, seconds: i64) -> Result<Attempt<'a>, u64> {
        let email = Email::new(&format!("{who}@example.org")).unwrap();
        let begun = guard.begin(&email, from.parse().unwrap(), at(seconds));
        begun.map_err(|error| match error {
            AppError::TooManyAttempts { retry_after } => retry_after.as_secs(),
            other => panic!("{other}"),
        })
    }

    /// Fails so many times, or says how long to wait.
    fn fail(guard: &LoginGuard, who: &str, from: &str, times: usize) -> Result<(), u64> {
        (0..times).try_for_each(|_| begin(guard, who, from, 0).map(drop))
    }

    #[test]
    fn failures_are_limited_by_account_and_come_back_one_by_one() {
        let guard = guard();
        assert_eq!(fail(&guard, "ada", HOME, 3), Ok(()));
        assert_eq!(begin(&guard, "ada", ELSEWHERE, 0).err(), Some(10), "wherever they are from");
        assert_eq!(begin(&guard, "ada", ELSEWHERE, 4).err(), Some(6));
        assert!(begin(&guard, "ada", ELSEWHERE, 10).is_ok());
        assert_eq!(begin(&guard, "ada", ELSEWHERE, 10).err(), Some(10));
        assert!(begin(&guard, "ben", HOME, 0).is_ok());
    }

    #[test]
    fn failures_are_limited_by_address() {
        let guard = guard();
        for who in ["a", "b", "c", "d", "e"] {
            assert_eq!(fail(&guard, who, HOME, 1), Ok(()));
        }
        assert_eq!(begin(&guard, "f", HOME, 0).err(), Some(6));
        assert!(begin(&guard, "f", ELSEWHERE, 0).is_ok());
    }

    #[test]
    fn a_network_of_the_sixth_version_counts_as_one_address() {
        let guard = guard();
        for host in 1..=5 {
            assert_eq!(fail(&guard, &format!("u{host}"), &format!("2001:db8:1:2::{host}"), 1), Ok(()));
        }
        assert!(begin(&guard, "f", "2001:db8:1:2:ffff::", 0).is_err());
        assert!(begin(&guard, "f", "2001:db8:1:3::1", 0).is_ok());
        assert_eq!(network_of("::ffff:192.0.2.1".parse().unwrap()), HOME.parse::<IpAddr>().unwrap());
    }

    #[test]
    fn successes_are_not_counted_and_attempts_under_way_are() {
        let guard = guard();
        for _ in 0..20 {
            begin(&guard, "ada", HOME, 0).unwrap_or_else(|_| panic!("none has failed")).succeed();
        }
        let under_way: Vec<_> = (0..3).map(|_| begin(&guard, "ben", HOME, 0)).collect();
        assert!(under_way.iter().all(Result::is_ok));
        assert!(begin(&guard, "ben", HOME, 0).is_err(), "three are being looked at");
        for attempt in under_way.into_iter().flatten() {
            attempt.forgive();
        }
        assert!(begin(&guard, "ben", HOME, 0).is_ok());
    }

    #[test]
    fn nobody_is_locked_out_from_where_they_have_signed_in() {
        let guard = guard();
        begin(&guard, "ada", HOME, 0).unwrap_or_else(|_| panic!("none has failed")).succeed();
        assert_eq!(fail(&guard, "ada", ELSEWHERE, 4), Err(10));
        assert_eq!(fail(&guard, "ada", HOME, 3), Ok(()), "these are counted by themselves");
        assert_eq!(fail(&guard, "ada", HOME, 1), Err(10));
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let guard = guard();
        for seconds in [1_000_000, 1_000_000, 1_000_000, 0, 0, 0] {
            assert!(begin(&guard, "ada", HOME, seconds).is_ok(), "{seconds}");
        }
        assert_eq!(begin(&guard, "ada", HOME, 0).err(), Some(10));
    }
}
