//! Limit of database queries for invalid tokens.
//!
//! Anybody can send random tokens. A token that was valid before is always looked up. Any other
//! takes a token from the bucket of its network before the query, and returns it if it is valid:
//! valid users do not pay for others behind the same address.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use foretell_domain::time::Timestamp;
use foretell_expiring_map::{ExpiringMap, Expiry};
use foretell_ports::rate_limit::{Budget, RateLimiter};
use foretell_ports::secret::TokenHash;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, timeout_at};

use crate::AppError;
use crate::client_network::ClientNetwork;

/// Maximum number of hashes of each kind, at some 100 bytes each.
const MAX_HASHES: usize = 50_000;

/// Time for which a token counts as proven after its last use.
const PROVEN_FOR: Duration = Duration::from_hours(24);

/// Time for which an unknown hash is remembered. Tokens are random, so it never becomes valid.
const UNKNOWN_FOR: Duration = Duration::from_mins(10);

/// Maximum time that a token waits for others of its network.
const PATIENCE: Duration = Duration::from_secs(1);

/// Recently presented tokens, proven and unknown, and the buckets of all others.
pub(crate) struct TokenGuard {
    limiter: Arc<dyn RateLimiter>,
    budget: Option<Budget>,
    proven: ExpiringMap<TokenHash, ()>,
    unknown: ExpiringMap<TokenHash, ()>,
    /// Number of queries whose tokens may come back.
    pending: Arc<watch::Sender<usize>>,
    /// Held while a token is taken and its query is counted.
    turn: Mutex<()>,
}

/// Decision about a query for a token.
#[derive(Debug)]
pub(crate) enum Lookup {
    /// Not needed: the database is known not to have it.
    Needless,
    /// Allowed, at the cost of its buckets if the token is invalid.
    Allowed(PendingLookup),
}

/// A query for a token. It counts as pending until it is dropped.
#[derive(Debug, Default)]
pub(crate) struct PendingLookup {
    buckets: Vec<(String, Budget)>,
    count: Option<Arc<watch::Sender<usize>>>,
}

impl Drop for PendingLookup {
    fn drop(&mut self) {
        if let Some(count) = &self.count {
            count.send_modify(|count| *count -= 1);
        }
    }
}

impl TokenGuard {
    /// Creates a guard with a limit of invalid tokens per network; `None` means unlimited.
    pub(crate) fn new(limiter: Arc<dyn RateLimiter>, budget: Option<Budget>) -> Self {
        Self {
            limiter,
            budget,
            proven: ExpiringMap::new(MAX_HASHES, Expiry::AfterUse(PROVEN_FOR)),
            unknown: ExpiringMap::new(MAX_HASHES, Expiry::AfterWrite(UNKNOWN_FOR)),
            pending: Arc::new(watch::Sender::new(0)),
            turn: Mutex::new(()),
        }
    }

    /// Decides if a token from a client at this address may be looked up. Valid tokens of many
    /// users behind one address may be pending at the same time, so it waits for lookups whose
    /// tokens may come back, but not while there are none: then all tokens were taken by invalid
    /// ones.
    ///
    /// # Errors
    /// [`AppError::TooManyInvalidTokens`] if its network has sent too many invalid ones.
    pub(crate) async fn admit(
        &self,
        token: &TokenHash,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<Lookup, AppError> {
        if self.unknown.get(token).is_some() {
            return Ok(Lookup::Needless);
        }
        // Reading extends the lifetime of the entry.
        let is_proven = self.proven.get(token).is_some();
        let Some(budget) = self.budget.filter(|_| !is_proven) else {
            return Ok(Lookup::Allowed(PendingLookup::default()));
        };
        let deadline = Instant::now() + PATIENCE;
        let mut pending = self.pending.subscribe();
        loop {
            let refusal = {
                // A lookup counts as pending from before the next token is taken.
                let _turn = self.turn.lock().await;
                // Read before the buckets: a lookup that ends in between wakes this one up.
                let is_alone = *pending.borrow_and_update() == 0;
                match self.take(budget, from, now).await {
                    Ok(buckets) => return Ok(Lookup::Allowed(self.begin_lookup(buckets))),
                    Err(refusal) if is_alone => return Err(refusal),
                    Err(refusal) => refusal,
                }
            };
            timeout_at(deadline, pending.changed()).await.map(drop).map_err(|_| refusal)?;
        }
    }

    /// Takes one token from the bucket of each network of an address, or none.
    async fn take(
        &self,
        budget: Budget,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<Vec<(String, Budget)>, AppError> {
        let mut taken = Vec::new();
        for network in ClientNetwork::all(from) {
            let budget = Budget { quota: network.scaled(budget.quota), ..budget };
            let bucket = format!("limit:invalid-tokens:from:{network}");
            let verdict = self.limiter.take(&bucket, budget, 1, now).await;
            if let Some(retry_after) = verdict.refused_for {
                self.give_back(&taken, now).await;
                return Err(AppError::TooManyInvalidTokens { retry_after });
            }
            taken.push((bucket, budget));
        }
        Ok(taken)
    }

    async fn give_back(&self, buckets: &[(String, Budget)], now: Timestamp) {
        for (bucket, budget) in buckets {
            self.limiter.give_back(bucket, *budget, 1, now).await;
        }
    }

    fn begin_lookup(&self, buckets: Vec<(String, Budget)>) -> PendingLookup {
        self.pending.send_modify(|count| *count += 1);
        PendingLookup { buckets, count: Some(Arc::clone(&self.pending)) }
    }

    /// Records that a token is valid, and returns the tokens taken for its query.
    pub(crate) async fn prove(&self, token: TokenHash, lookup: PendingLookup, now: Timestamp) {
        self.proven.insert(token, ());
        self.give_back(&lookup.buckets, now).await;
    }

    /// Records that a token was just issued.
    pub(crate) fn issued(&self, token: TokenHash) {
        self.proven.insert(token, ());
    }

    /// Records that the database does not have a token.
    pub(crate) fn remember_unknown(&self, token: TokenHash) {
        self.proven.remove(&token);
        self.unknown.insert(token, ());
    }
}

#[cfg(test)]
mod tests {
    use foretell_testkit::MemoryRateLimiter;

    use super::*;

    const HOME: &str = "2001:db8:1:1::1";
    const NOW: Timestamp = Timestamp::from_micros(0);

    fn guard() -> TokenGuard {
        let budget = Budget { quota: 2, window: Duration::from_mins(1) };
        TokenGuard::new(Arc::new(MemoryRateLimiter::default()), Some(budget))
    }

    fn token(number: u8) -> TokenHash {
        TokenHash([number; 32])
    }

    async fn admit(guard: &TokenGuard, number: u8, from: &str) -> Result<Lookup, AppError> {
        guard.admit(&token(number), from.parse().unwrap(), NOW).await
    }

    #[tokio::test]
    async fn unproven_tokens_are_limited_by_network() {
        let guard = guard();
        for number in 0..2 {
            assert!(matches!(admit(&guard, number, HOME).await, Ok(Lookup::Allowed(_))));
        }
        assert!(admit(&guard, 3, "2001:db8:1:1::2").await.is_err());
        assert!(admit(&guard, 3, "2001:db8:1:2::1").await.is_ok());
        assert!(admit(&guard, 3, "192.0.2.1").await.is_ok());
    }

    #[tokio::test]
    async fn unproven_tokens_are_limited_by_site() {
        let guard = guard();
        let mut allowed = 0;
        for net in 0..100 {
            allowed += u32::from(admit(&guard, 1, &format!("2001:db8:1:{net}::1")).await.is_ok());
        }
        assert_eq!(allowed, 32);
    }

    #[tokio::test]
    async fn valid_tokens_of_a_network_wait_for_others() {
        let guard = Arc::new(guard());
        let authenticate = async |number| {
            let Lookup::Allowed(lookup) = admit(&guard, number, HOME).await? else {
                panic!("it is not known")
            };
            tokio::task::yield_now().await;
            guard.prove(token(number), lookup, NOW).await;
            Ok::<_, AppError>(())
        };
        let all = futures::future::join_all((0..50).map(authenticate)).await;
        assert!(all.iter().all(Result::is_ok), "{all:?}");
    }

    #[tokio::test]
    async fn token_does_not_wait_for_invalid_ones() {
        let guard = guard();
        let held = [admit(&guard, 0, HOME).await.unwrap(), admit(&guard, 1, HOME).await.unwrap()];
        let waiting = async { admit(&guard, 2, HOME).await.is_err() };
        let invalid = async { drop(held) };
        assert!(tokio::join!(waiting, invalid).0, "both are invalid");
        assert!(admit(&guard, 2, HOME).await.is_err());
    }

    #[tokio::test]
    async fn valid_tokens_cost_nothing_and_pass_an_empty_bucket() {
        let guard = guard();
        for _ in 0..5 {
            let Ok(Lookup::Allowed(lookup)) = admit(&guard, 7, HOME).await else {
                panic!("it is not limited")
            };
            guard.prove(token(7), lookup, NOW).await;
        }
        guard.issued(token(8));
        for number in 0..2 {
            assert!(admit(&guard, number, HOME).await.is_ok());
        }
        assert!(admit(&guard, 3, HOME).await.is_err());
        for number in [7, 8] {
            assert!(
                matches!(admit(&guard, number, HOME).await, Ok(Lookup::Allowed(_))),
                "{number}"
            );
        }
    }

    #[tokio::test]
    async fn unknown_token_is_looked_up_once() {
        let guard = guard();
        guard.issued(token(1));
        guard.remember_unknown(token(1));
        assert!(matches!(admit(&guard, 1, HOME).await, Ok(Lookup::Needless)));
    }
}
