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

use crate::AppError;
use crate::client_network::ClientNetwork;

/// Maximum number of hashes of each kind, at some 100 bytes each.
const MAX_HASHES: usize = 50_000;

/// Time for which a token counts as proven after its last use.
const PROVEN_FOR: Duration = Duration::from_hours(24);

/// Time for which an unknown hash is remembered. Tokens are random, so it never becomes valid.
const UNKNOWN_FOR: Duration = Duration::from_mins(10);

/// Recently presented tokens, proven and unknown, and the buckets of all others.
pub(crate) struct TokenGuard {
    limiter: Arc<dyn RateLimiter>,
    budget: Option<Budget>,
    proven: ExpiringMap<TokenHash, ()>,
    unknown: ExpiringMap<TokenHash, ()>,
}

/// Decision about a query for a token.
#[derive(Debug)]
pub(crate) enum Lookup {
    /// Not needed: the database is known not to have it.
    Needless,
    /// Allowed, at the cost of these buckets if the token is invalid.
    Allowed(Vec<(String, Budget)>),
}

impl TokenGuard {
    /// Creates a guard with a limit of invalid tokens per network; `None` means unlimited.
    pub(crate) fn new(limiter: Arc<dyn RateLimiter>, budget: Option<Budget>) -> Self {
        Self {
            limiter,
            budget,
            proven: ExpiringMap::new(MAX_HASHES, Expiry::AfterUse(PROVEN_FOR)),
            unknown: ExpiringMap::new(MAX_HASHES, Expiry::AfterWrite(UNKNOWN_FOR)),
        }
    }

    /// Decides if a token from a client at this address may be looked up.
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
        let is_proven = self.proven.get(token).is_some();
        let Some(budget) = self.budget.filter(|_| !is_proven) else {
            return Ok(Lookup::Allowed(Vec::new()));
        };
        let mut buckets = Vec::new();
        for network in ClientNetwork::all(from) {
            let budget = Budget { quota: network.scaled(budget.quota), ..budget };
            let bucket = format!("limit:invalid-tokens:from:{network}");
            let verdict = self.limiter.take(&bucket, budget, 1, now).await;
            if let Some(retry_after) = verdict.refused_for {
                return Err(AppError::TooManyInvalidTokens { retry_after });
            }
            buckets.push((bucket, budget));
        }
        Ok(Lookup::Allowed(buckets))
    }

    /// Records that a token is valid, and returns the tokens taken for its query.
    pub(crate) async fn prove(&self, token: TokenHash, buckets: Vec<(String, Budget)>, now: Timestamp) {
        self.proven.insert(token, ());
        for (bucket, budget) in buckets {
            self.limiter.give_back(&bucket, budget, 1, now).await;
        }
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
    async fn valid_tokens_cost_nothing_and_pass_an_empty_bucket() {
        let guard = guard();
        for _ in 0..5 {
            let Ok(Lookup::Allowed(buckets)) = admit(&guard, 7, HOME).await else {
                panic!("it is not limited")
            };
            guard.prove(token(7), buckets, NOW).await;
        }
        guard.issued(token(8));
        for number in 0..2 {
            assert!(admit(&guard, number, HOME).await.is_ok());
        }
        assert!(admit(&guard, 3, HOME).await.is_err());
        for number in [7, 8] {
            assert!(matches!(admit(&guard, number, HOME).await, Ok(Lookup::Allowed(_))), "{number}");
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
