//! Networks that count as one client in limits.
//!
//! A customer of an IPv6 provider has at least a /64, and often a /48: limits count by /64 and,
//! with a higher limit, by /48. An IPv4 address counts by itself.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// Returns the network that counts as one client: the IPv4 address itself, or the /64 of an IPv6
/// address.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(prefix(address, 4)),
        address @ IpAddr::V4(_) => address,
    }
}

/// Limit of a /48 as a multiple of the limit of one /64.
pub(crate) const SITE_FACTOR: u32 = 16;

/// An IPv4 address, or an IPv6 network of 64 or 48 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ClientNetwork {
    /// An IPv4 address, or the /64 of an IPv6 address.
    Host(IpAddr),
    /// The /48 of an IPv6 address.
    Site(Ipv6Addr),
}

impl ClientNetwork {
    /// Returns the smallest network that counts as one client.
    pub(crate) fn host(address: IpAddr) -> Self {
        Self::Host(network_of(address))
    }

    /// Returns the /48 in which an IPv6 address is counted as well.
    pub(crate) fn site(address: IpAddr) -> Option<Self> {
        match address.to_canonical() {
            IpAddr::V6(address) => Some(Self::Site(prefix(address, 3))),
            IpAddr::V4(_) => None,
        }
    }

    /// Returns the networks in which an address is counted, the smallest first.
    pub(crate) fn all(address: IpAddr) -> impl Iterator<Item = Self> {
        std::iter::once(Self::host(address)).chain(Self::site(address))
    }

    /// Returns the limit of this network, if that of a host is `limit`.
    pub(crate) const fn scaled(self, limit: u32) -> u32 {
        match self {
            Self::Host(_) => limit,
            Self::Site(_) => limit.saturating_mul(SITE_FACTOR),
        }
    }
}

impl fmt::Display for ClientNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(address) => address.fmt(f),
            Self::Site(address) => write!(f, "{address}/48"),
        }
    }
}

/// Returns the address with everything after its first segments, of 16 bits each, set to zero.
fn prefix(address: Ipv6Addr, segments: usize) -> Ipv6Addr {
    let mut kept = address.segments();
    for segment in kept.iter_mut().skip(segments) {
        *segment = 0;
    }
    Ipv6Addr::from(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expected: &[&str]) {
        let networks =
            ClientNetwork::all(address.parse().unwrap()).map(|network| network.to_string());
        assert_eq!(networks.collect::<Vec<_>>(), expected, "{address}");
    }

    #[test]
    fn ipv6_addresses_count_by_64_and_48_bits() {
        check("192.0.2.1", &["192.0.2.1"]);
        check("::ffff:192.0.2.1", &["192.0.2.1"]);
        check("2001:db8:1:2:3:4:5:6", &["2001:db8:1:2::", "2001:db8:1::/48"]);
        check("2001:db8:1:3::1", &["2001:db8:1:3::", "2001:db8:1::/48"]);
        check("2001:db8:2:2::1", &["2001:db8:2:2::", "2001:db8:2::/48"]);
    }

    #[test]
    fn site_limit_is_a_multiple() {
        let limits =
            ClientNetwork::all("2001:db8::1".parse().unwrap()).map(|network| network.scaled(10));
        assert_eq!(limits.collect::<Vec<_>>(), [10, 160]);
        assert_eq!(ClientNetwork::Site(Ipv6Addr::UNSPECIFIED).scaled(u32::MAX), u32::MAX);
    }
}
