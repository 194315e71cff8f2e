//! Limits of open connections, so that the process keeps descriptors for its own work and for
//! health checks.
//!
//! A connection over the limit can only call health checks and other routes without rate limits,
//! one request each; anything else gets 503. A small reserve exists for those. When it is full, a
//! new connection replaces the oldest one that has not sent a request: a client that only connects
//! blocks nobody.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::HttpRequest;
use foretell_application::network_of;

use crate::trusted_proxies::TrustedProxies;

/// Maximum number of connections for health checks above the limit.
pub(crate) const RESERVED: usize = 32;

/// Maximum number of reserved connections per address.
const RESERVED_PER_ADDRESS: usize = 8;

/// Limits of a server's open connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// For all together. A few more are accepted for health checks.
    pub total: usize,
    /// For one IPv4 address or one /64 of IPv6; trusted proxies and the server's own machine are
    /// exempt.
    pub per_address: usize,
}

/// Numbers of open connections.
pub(crate) struct Connections {
    limits: ConnectionLimits,
    exempt: TrustedProxies,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    total: usize,
    by_address: HashMap<IpAddr, Count>,
    /// Reserved connections, oldest first.
    reserve: Vec<Reserved>,
    next_number: u64,
}

#[derive(Debug, Default)]
struct Count {
    open: usize,
    reserved: usize,
}

struct Reserved {
    number: u64,
    address: IpAddr,
    /// Closes the connection; `None` while it must stay open.
    close: Option<Box<dyn FnOnce() + Send>>,
}

/// An open connection, counted until it is dropped.
pub(crate) struct Connection {
    connections: Arc<Connections>,
    address: IpAddr,
    /// Number in the reserve, if the connection is over the limit.
    reserved: Option<u64>,
}

impl Connections {
    pub(crate) fn new(limits: ConnectionLimits, exempt: TrustedProxies) -> Arc<Self> {
        Arc::new(Self { limits, exempt, counts: Mutex::default() })
    }

    /// Counts a new connection; `None` if it must be closed immediately.
    pub(crate) fn open(self: &Arc<Self>, peer: IpAddr) -> Option<Connection> {
        let address = network_of(peer);
        let is_exempt = peer.to_canonical().is_loopback() || self.exempt.trusts(peer);
        let mut counts = self.lock();
        let count = counts.by_address.get(&address);
        let (open, reserved) = count.map_or((0, 0), |count| (count.open, count.reserved));
        let has_too_many = !is_exempt && open - reserved >= self.limits.per_address;
        let is_reserved = has_too_many || counts.total >= self.limits.total;
        let has_room = if !is_reserved {
            true
        } else if reserved >= RESERVED_PER_ADDRESS {
            counts.evict(|other| other.address == address)
        } else {
            counts.total < self.limits.total + RESERVED || counts.evict(|_| true)
        };
        if !has_room {
            return None;
        }
        let number = counts.add(address, is_reserved);
        drop(counts);
        Some(Connection { connections: Arc::clone(self), address, reserved: number })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// Counts a connection, and returns its number in the reserve.
    fn add(&mut self, address: IpAddr, is_reserved: bool) -> Option<u64> {
        let count = self.by_address.entry(address).or_default();
        count.open += 1;
        count.reserved += usize::from(is_reserved);
        self.total += 1;
        if !is_reserved {
            return None;
        }
        let number = self.next_number;
        self.next_number += 1;
        self.reserve.push(Reserved { number, address, close: None });
        Some(number)
    }

    /// Closes the oldest of these reserved connections that waits for a request; `false` if there
    /// is none.
    fn evict(&mut self, is_candidate: impl Fn(&Reserved) -> bool) -> bool {
        let mut reserve = self.reserve.iter_mut();
        let oldest = reserve.find(|other| other.close.is_some() && is_candidate(other));
        let Some((number, address, close)) =
            oldest.and_then(|oldest| Some((oldest.number, oldest.address, oldest.close.take()?)))
        else {
            return false;
        };
        // Uncounted now, although the server has yet to notice that it is closed.
        self.remove(address, Some(number));
        close();
        true
    }

    /// Stops counting a connection, unless it was closed for another one.
    fn remove(&mut self, address: IpAddr, reserved: Option<u64>) {
        if let Some(number) = reserved {
            let position = self.reserve.iter().position(|other| other.number == number);
            let Some(position) = position else { return };
            self.reserve.remove(position);
        }
        self.total = self.total.saturating_sub(1);
        let Some(count) = self.by_address.get_mut(&address) else { return };
        count.open = count.open.saturating_sub(1);
        count.reserved = count.reserved.saturating_sub(usize::from(reserved.is_some()));
        if count.open == 0 {
            self.by_address.remove(&address);
        }
    }
}

impl Connection {
    pub(crate) const fn is_reserved(&self) -> bool {
        self.reserved.is_some()
    }

    /// Allows a newer connection to replace this one, until it has sent a request.
    pub(crate) fn evict_with(&self, close: impl FnOnce() + Send + 'static) {
        self.set_close(Some(Box::new(close)));
    }

    /// Protects the connection from being replaced.
    fn keep(&self) {
        self.set_close(None);
    }

    fn set_close(&self, close: Option<Box<dyn FnOnce() + Send>>) {
        let mut counts = self.connections.lock();
        let mut reserve = counts.reserve.iter_mut();
        if let Some(reserved) = reserve.find(|reserved| Some(reserved.number) == self.reserved) {
            reserved.close = close;
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.connections.lock().remove(self.address, self.reserved);
    }
}

/// Returns `true` if a request came over a connection above the limit, which only routes without
/// rate limits may use.
pub(crate) fn is_over_limit(request: &HttpRequest) -> bool {
    request.conn_data::<Connection>().is_some_and(Connection::is_reserved)
}

/// Protects the connection of a request until its response is sent.
pub(crate) fn keep_connection(request: &HttpRequest) {
    if let Some(connection) =
        request.conn_data::<Connection>().filter(|connection| connection.is_reserved())
    {
        connection.keep();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn connections(total: usize, per_address: usize) -> Arc<Connections> {
        let proxies = TrustedProxies::new(vec!["10.0.0.1".parse().unwrap()]);
        Connections::new(ConnectionLimits { total, per_address }, proxies)
    }

    /// Opens as many connections as possible: returns the number without restrictions, and the
    /// number of reserved ones.
    fn fill(connections: &Arc<Connections>, address: &str) -> (Vec<Connection>, usize, usize) {
        let peer = address.parse().unwrap();
        let open: Vec<_> = std::iter::from_fn(|| connections.open(peer)).collect();
        let reserved = open.iter().filter(|connection| connection.is_reserved()).count();
        let full = open.len() - reserved;
        (open, full, reserved)
    }

    #[test]
    fn address_over_limit_gets_reserved_connections() {
        let connections = connections(100, 10);
        let (_held, full, reserved) = fill(&connections, "192.0.2.1");
        assert_eq!((full, reserved), (10, RESERVED_PER_ADDRESS));
        assert!(
            connections
                .open("192.0.2.2".parse().unwrap())
                .is_some_and(|other| !other.is_reserved())
        );
    }

    #[test]
    fn ipv6_network_counts_as_one_address() {
        let connections = connections(100, 10);
        let (_held, ..) = fill(&connections, "2001:db8::1");
        assert!(connections.open("2001:db8::2".parse().unwrap()).is_none());
        assert!(connections.open("2001:db8:0:1::1".parse().unwrap()).is_some());
    }

    #[test]
    fn proxies_and_loopback_have_total_limit_only() {
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
        let held: Vec<_> =
            (0..100).map(|host| fill(&connections, &format!("192.0.2.{host}"))).collect();
        assert_eq!(held.iter().map(|(open, ..)| open.len()).sum::<usize>(), 20 + RESERVED);
    }

    #[test]
    fn closed_connections_are_no_longer_counted() {
        let connections = connections(20, 10);
        for _ in 0..3 {
            assert_eq!(fill(&connections, "192.0.2.1").1, 10);
        }
        let counts = connections.lock();
        assert_eq!((counts.total, counts.by_address.len()), (0, 0));
    }

    /// Makes a connection replaceable, and returns a flag that tells if it was replaced.
    fn evictable(connection: &Connection) -> Arc<AtomicBool> {
        let is_closed = Arc::new(AtomicBool::new(false));
        let closing = Arc::clone(&is_closed);
        connection.evict_with(move || closing.store(true, Ordering::SeqCst));
        is_closed
    }

    fn closed(connections: &[Arc<AtomicBool>]) -> Vec<bool> {
        connections.iter().map(|is_closed| is_closed.load(Ordering::SeqCst)).collect()
    }

    #[test]
    fn new_connection_evicts_oldest_idle_of_address() {
        let connections = connections(0, 10);
        let (open, ..) = fill(&connections, "192.0.2.1");
        let (other, ..) = fill(&connections, "192.0.2.2");
        let held: Vec<_> = other.iter().chain(&open).map(evictable).collect();
        open[0].keep();
        let newer = connections.open("192.0.2.1".parse().unwrap()).unwrap();
        let mut expected = vec![false; 2 * RESERVED_PER_ADDRESS];
        expected[RESERVED_PER_ADDRESS + 1] = true;
        assert_eq!(closed(&held), expected);
        drop((open, other, newer));
        let counts = connections.lock();
        assert_eq!((counts.total, counts.by_address.len(), counts.reserve.len()), (0, 0, 0));
    }

    #[test]
    fn new_address_evicts_oldest_idle_of_all() {
        let connections = connections(0, 10);
        let open: Vec<_> =
            (0..4).flat_map(|host| fill(&connections, &format!("192.0.2.{host}")).0).collect();
        let late = "192.0.2.9".parse().unwrap();
        assert!(connections.open(late).is_none(), "none of them may be closed");
        let held: Vec<_> = open.iter().map(evictable).collect();
        assert!(connections.open(late).is_some_and(|late| late.is_reserved()));
        assert_eq!(closed(&held), (0..RESERVED).map(|index| index == 0).collect::<Vec<_>>());
        assert_eq!(connections.lock().total, RESERVED - 1);
    }
}
