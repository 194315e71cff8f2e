//! Limits of concurrent event streams: by user, by client network, and in total.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foretell_domain::id::UserId;

use super::request_limits::Requester;
use crate::client_network::ClientNetwork;
use crate::error::AppError;

/// Limits of open event streams in this process; `None` means unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamLimits {
    /// For one user, from all networks.
    pub per_user: Option<u32>,
    /// For anonymous streams from one network: an IPv4 address or a /64 of IPv6; a /48 has a
    /// multiple of it.
    pub per_address: Option<u32>,
    /// For all streams together.
    pub total: Option<u32>,
}

/// Time that a rejected client should wait: the server notices within this time that a client has
/// disconnected.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Numbers of open streams.
pub(crate) struct OpenStreams {
    limits: StreamLimits,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    total: u32,
    by_holder: HashMap<Holder, u32>,
}

/// User or network whose streams are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Holder {
    User(UserId),
    Network(ClientNetwork),
}

/// Permit for one open stream, released when dropped.
#[must_use]
#[derive(Debug)]
pub struct StreamPermit {
    counts: Arc<Mutex<Counts>>,
    holders: Vec<Holder>,
}

impl OpenStreams {
    pub(crate) fn new(limits: StreamLimits) -> Self {
        Self { limits, counts: Arc::default() }
    }

    /// Counts one more open stream for a requester.
    pub(super) fn open(&self, requester: Requester) -> Result<StreamPermit, AppError> {
        let holders: Vec<_> = match requester {
            Requester::User(id) => vec![Holder::User(id)],
            Requester::Address(address) => {
                ClientNetwork::all(address).map(Holder::Network).collect()
            }
        };
        let mut counts = lock(&self.counts);
        let is_full = |count: u32, limit: Option<u32>| limit.is_some_and(|limit| count >= limit);
        let has_too_many = |holder: &Holder| {
            is_full(counts.by_holder.get(holder).copied().unwrap_or(0), self.limit_of(*holder))
        };
        if is_full(counts.total, self.limits.total) || holders.iter().any(has_too_many) {
            return Err(AppError::TooManyStreams { retry_after: RETRY_AFTER });
        }
        counts.total += 1;
        for holder in &holders {
            *counts.by_holder.entry(*holder).or_default() += 1;
        }
        Ok(StreamPermit { counts: Arc::clone(&self.counts), holders })
    }

    fn limit_of(&self, holder: Holder) -> Option<u32> {
        match holder {
            Holder::User(_) => self.limits.per_user,
            Holder::Network(network) => self.limits.per_address.map(|limit| network.scaled(limit)),
        }
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        counts.total = counts.total.saturating_sub(1);
        for holder in &self.holders {
            let Some(count) = counts.by_holder.get_mut(holder) else { continue };
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.by_holder.remove(holder);
            }
        }
    }
}

fn lock(counts: &Mutex<Counts>) -> MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streams(per_user: u32, per_address: u32, total: u32) -> OpenStreams {
        let limits = [per_user, per_address, total].map(Some);
        let [per_user, per_address, total] = limits;
        OpenStreams::new(StreamLimits { per_user, per_address, total })
    }

    fn from(address: &str) -> Requester {
        Requester::Address(address.parse().unwrap())
    }

    fn user(id: u128) -> Requester {
        Requester::User(UserId::from_u128(id))
    }

    /// Opens as many streams as one requester may have.
    fn fill(streams: &OpenStreams, requester: Requester) -> Vec<StreamPermit> {
        std::iter::from_fn(|| streams.open(requester).ok()).collect()
    }

    #[test]
    fn users_and_addresses_have_limits_of_their_own() {
        let streams = streams(2, 3, 100);
        let held =
            [user(1), user(2), from("192.0.2.1"), from("192.0.2.2")].map(|who| fill(&streams, who));
        assert_eq!(held.each_ref().map(Vec::len), [2, 2, 3, 3]);
    }

    #[test]
    fn ipv6_sites_have_a_multiple_of_the_limit() {
        let streams = streams(2, 3, 1_000);
        assert_eq!(fill(&streams, from("2001:db8:1:1::1")).len(), 3);
        let held: Vec<_> = (0..100)
            .flat_map(|net| fill(&streams, from(&format!("2001:db8:1:{net}::1"))))
            .collect();
        assert_eq!(held.len(), 3 * 16);
        assert!(streams.open(from("2001:db8:2::1")).is_ok());
    }

    #[test]
    fn total_limits_all_requesters_together() {
        let streams = streams(2, 3, 4);
        let held = [user(1), user(2), user(3), from("192.0.2.1")].map(|who| fill(&streams, who));
        assert_eq!(held.each_ref().map(Vec::len), [2, 2, 0, 0]);
    }

    #[test]
    fn dropped_permit_is_released() {
        let streams = streams(1, 1, 1);
        for requester in [user(1), from("2001:db8::1"), user(1), from("192.0.2.1")] {
            let permit = streams.open(requester).unwrap();
            assert!(streams.open(requester).is_err());
            drop(permit);
        }
        let counts = lock(&streams.counts);
        assert_eq!((counts.total, counts.by_holder.len()), (0, 0));
    }

    #[test]
    fn unlimited_streams_are_always_admitted() {
        let streams = OpenStreams::new(StreamLimits::default());
        let held: Vec<_> = (0..1_000).map(|_| streams.open(user(1)).unwrap()).collect();
        assert_eq!(lock(&streams.counts).total, u32::try_from(held.len()).unwrap());
    }
}
