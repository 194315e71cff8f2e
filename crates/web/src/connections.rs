//! Limits of open connections, so that the process keeps descriptors for its own work and for health checks.
//!
//! A connection over the limit is served health checks and the like (routes that are never limited), one
//! request each; anything else is answered 503. There is a small reserve for those. Once it is full, a new connection
//! takes the place of the oldest one that has not sent a request: a client that only connects keeps nobody out.

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
    /// Closes it; `None` as long as it must not be closed.
    close: Option<Box<dyn FnOnce() + Send>>,
}

/// An open connection, counted until it is dropped.
pub(crate) struct Connection {
    connections: Arc<Connections>,
    address: IpAddr,
    /// Its number in the reserve, if it is over the limit.
    reserved: Option<u64>,
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

    /// Closes the oldest reserved connection of these that waits for a request; `false` if there is none.
    fn evict(&mut self, is_candidate: impl Fn(&Reserved) -> bool) -> bool {
        let mut reserve = self.reserve.iter_mut();
        let oldest = reserve.find(|other| other.close.is_some() && is_candidate(other));
        let Some((number, address, close)) =
            oldest.and_then(|oldest| Some((oldest.number, oldest.address, oldest.close.take()?)))
        else {
            return false;
        };
        // It is no longer counted, though the server has yet to notice that it is closed.
        self.remove(address, Some(number));
        close();
        true
    }

    /// Counts a connection no longer, unless it was closed for another one.
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

    /// Lets a newer connection take the place of this one, until it has sent a request.
    pub(crate) fn evict_with(&self, close: impl FnOnce() + Send + 'static) {
        self.set_close(Some(Box::new(close)));
    }

    /// Keeps its place from now on.
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

/// Whether a request came over a connection that only routes without limits are served on.
pub(crate) fn is_over_limit(request: &HttpRequest) -> bool {
    request.conn_data::<Connection>().is_some_and(Connection::is_reserved)
}

/// Keeps the connection of a request open until it is answered.
pub(crate) fn keep_connection(request: &HttpRequest) {
    if let Some(connection) = request.conn_data::<Connection>().filter(|connection| connection.is_reserved())
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

    /// Opens as many connections as it gets: how many are served everything, and how many are reserved.
    fn fill(connections: &Arc<Connections>, address: &str) -> (Vec<Connection>, usize, usize) {
        let peer = address.parse().unwrap();
        let open: Vec<_> = std::iter::from_fn(|| connections.open(peer)).collect();
        let reserved = open.iter().filter(|connection| connection.is_reserved()).count();
        let full = open.len() - reserved;
        (open, full, reserved)
    }

    #[test]
    fn address_over_its_limit_gets_a_few_reserved() {
        let connections = connections(100, 10);
        let (_held, full, reserved) = fill(&connections, "192.0.2.1");
        assert_eq!((full, reserved), (10, RESERVED_PER_ADDRESS));
        assert!(connections.open("192.0.2.2".parse().unwrap()).is_some_and(|other| !other.is_reserved()));
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

    /// Lets a connection be closed for another one, and tells later whether it was.
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
        let open: Vec<_> = (0..4).flat_map(|host| fill(&connections, &format!("192.0.2.{host}")).0).collect();
        let late = "192.0.2.9".parse().unwrap();
        assert!(connections.open(late).is_none(), "none of them may be closed");
        let held: Vec<_> = open.iter().map(evictable).collect();
        assert!(connections.open(late).is_some_and(|late| late.is_reserved()));
        assert_eq!(closed(&held), (0..RESERVED).map(|index| index == 0).collect::<Vec<_>>());
        assert_eq!(connections.lock().total, RESERVED - 1);
    }
}
