//! Limits of open connections, so that the process keeps descriptors for its own work and for health checks.
//!
//! A connection over the limit is served health checks and the like (routes that are never limited), one
//! request each; anything else is answered 503. Beyond a small reserve of those, connections are closed at once.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::HttpRequest;
use foretell_application::network_of;

use crate::trusted_proxies::TrustedProxies;

/// Connections that are kept for health checks above the limit.
pub(crate) const RESERVED: usize = 32;

/// The reserved connections that one address may have.
const RESERVED_PER_ADDRESS: usize = 8;

/// Limits of open connections of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// For all together. A few more are accepted for health checks.
    pub total: usize,
    /// For one address, or one /64 of IPv6; trusted proxies and the server's own machine are exempt.
    pub per_address: usize,
}

/// Counts of open connections.
pub(crate) struct Connections {
    limits: ConnectionLimits,
    exempt: TrustedProxies,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    by_address: HashMap<IpAddr, Count>,
}

#[derive(Debug, Default)]
struct Count {
    open: usize,
    reserved: usize,
}

/// An open connection, counted until it is dropped.
pub(crate) struct Connection {
    connections: Arc<Connections>,
    address: IpAddr,
    is_reserved: bool,
}

impl Connections {
    pub(crate) fn new(limits: ConnectionLimits, exempt: TrustedProxies) -> Arc<Self> {
        Arc::new(Self { limits, exempt, counts: Mutex::default() })
    }

    /// Counts one more connection; `None` if it must be closed at once.
    pub(crate) fn open(self: &Arc<Self>, peer: IpAddr) -> Option<Connection> {
        let address = network_of(peer);
        let is_exempt = peer.to_canonical().is_loopback() || self.exempt.trusts(peer);
        let mut counts = self.lock();
        let total = counts.total;
        let count = counts.by_address.entry(address).or_default();
        let has_too_many = !is_exempt && count.open - count.reserved >= self.limits.per_address;
        let is_reserved = has_too_many || total >= self.limits.total;
        let may_reserve = total < self.limits.total + RESERVED && count.reserved < RESERVED_PER_ADDRESS;
        if is_reserved && !may_reserve {
            if count.open == 0 {
                counts.by_address.remove(&address);
            }
            return None;
        }
        count.open += 1;
        count.reserved += usize::from(is_reserved);
        counts.total += 1;
        drop(counts);
        Some(Connection { connections: Arc::clone(self), address, is_reserved })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut counts = self.connections.lock();
        counts.total = counts.total.saturating_sub(1);
        let Some(count) = counts.by_address.get_mut(&self.address) else { return };
        count.open = count.open.saturating_sub(1);
        count.reserved = count.reserved.saturating_sub(usize::from(self.is_reserved));
        if count.open == 0 {
            counts.by_address.remove(&self.address);
        }
    }
}

/// Whether a request came over a connection that only routes without limits are served on.
pub(crate) fn is_over_limit(request: &HttpRequest) -> bool {
    request.conn_data::<Connection>().is_some_and(|connection| connection.is_reserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(total: usize, per_address: usize) -> Arc<Connections> {
        let proxies = TrustedProxies::new(vec!["10.0.0.1".parse().unwrap()]);
        Connections::new(ConnectionLimits { total, per_address }, proxies)
    }

    /// Opens as many connections as it gets: how many are served everything, and how many are reserved.
    fn fill(connections: &Arc<Connections>, address: &str) -> (Vec<Connection>, usize, usize) {
        let peer = address.parse().unwrap();
        let open: Vec<_> = std::iter::from_fn(|| connections.open(peer)).collect();
        let reserved = open.iter().filter(|connection| connection.is_reserved).count();
        let full = open.len() - reserved;
        (open, full, reserved)
    }

    #[test]
    fn address_over_its_limit_gets_a_few_reserved() {
        let connections = connections(100, 10);
        let (_held, full, reserved) = fill(&connections, "192.0.2.1");
        assert_eq!((full, reserved), (10, RESERVED_PER_ADDRESS));
        assert!(connections.open("192.0.2.2".parse().unwrap()).is_some_and(|other| !other.is_reserved));
    }

    #[test]
    fn ipv6_network_counts_as_one_address() {
        let connections = connections(100, 10);
        let (_held, ..) = fill(&connections, "2001:db8::1");
        assert!(connections.open("2001:db8::2".parse().unwrap()).is_none());
        assert!(connections.open("2001:db8:0:1::1".parse().unwrap()).is_some());
    }

    #[test]
    fn proxies_and_own_machine_have_only_the_total_limit() {
        for address in ["10.0.0.1", "127.0.0.1", "::1"] {
            let connections = connections(100, 10);
            let (_held, full, reserved) = fill(&connections, address);
            assert_eq!((full, reserved), (100, RESERVED_PER_ADDRESS), "{address}");
            let (_others, full, reserved) = fill(&connections, "192.0.2.1");
            assert_eq!((full, reserved), (0, RESERVED_PER_ADDRESS), "{address}");
        }
    }

    #[test]
    fn reserve_is_limited_in_total() {
        let connections = connections(20, 20);
        let held: Vec<_> = (0..100).map(|host| fill(&connections, &format!("192.0.2.{host}"))).collect();
        assert_eq!(held.iter().map(|(open, ..)| open.len()).sum::<usize>(), 20 + RESERVED);
    }

    #[test]
    fn closed_connections_make_room_and_leave_nothing() {
        let connections = connections(20, 10);
        for _ in 0..3 {
            assert_eq!(fill(&connections, "192.0.2.1").1, 10);
        }
        let counts = connections.lock();
        assert_eq!((counts.total, counts.by_address.len()), (0, 0));
    }
}
