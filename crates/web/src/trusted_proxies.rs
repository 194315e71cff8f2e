//! Proxies before the server that are trusted to report the client address.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;

/// Header to which each proxy appends the address of its own peer.
pub(crate) const FORWARDED_FOR: &str = "x-forwarded-for";

/// An address, or a network such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

/// Neither an address nor a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkError;

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be an IP address or a network, such as \"10.0.0.0/8\"")
    }
}

impl std::error::Error for NetworkError {}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map(Self).map_err(|_| NetworkError)
    }
}

/// Proxies that are trusted to report the client address; without any, the header is ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

impl TrustedProxies {
    /// Creates a list of these networks.
    pub const fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// Returns `true` if there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the client behind a peer, from the lines of the header: the last address that is not
    /// a trusted proxy. Earlier entries may be forged by the client.
    pub(crate) fn client_behind(&self, peer: IpAddr, forwarded: &[&str]) -> IpAddr {
        let mut client = peer.to_canonical();
        let hops = forwarded.iter().flat_map(|line| line.split(',')).rev();
        for hop in hops {
            if !self.contains(client) {
                break;
            }
            // An unreadable entry ends the search at the proxy that wrote it.
            let Some(address) = address_in(hop.trim()) else { break };
            client = address;
        }
        client
    }

    /// Returns `true` if a peer is a trusted proxy.
    pub(crate) fn trusts(&self, peer: IpAddr) -> bool {
        self.contains(peer.to_canonical())
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|Network(network)| network.contains(&address))
    }
}

/// Parses an address, possibly with a port: some proxies append the source port.
fn address_in(hop: &str) -> Option<IpAddr> {
    let with_port = || hop.parse::<SocketAddr>().map(|address| address.ip()).ok();
    let in_brackets = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address: Option<IpAddr> = hop.parse().ok().or_else(with_port).or_else(in_brackets);
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(peer: &str, forwarded: &[&str], expected: &str) {
        let networks =
            ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"].map(|text| text.parse().unwrap());
        let proxies = TrustedProxies::new(networks.to_vec());
        let client = proxies.client_behind(peer.parse().unwrap(), forwarded);
        assert_eq!(client.to_string(), expected, "{peer} {forwarded:?}");
    }

    #[test]
    fn header_of_untrusted_peer_is_ignored() {
        check("198.51.100.1", &[], "198.51.100.1");
        check("198.51.100.1", &["203.0.113.9"], "198.51.100.1");
        check("10.1.2.3", &["203.0.113.9"], "203.0.113.9");
        check("192.0.2.7", &["203.0.113.9"], "203.0.113.9");
        check("192.0.2.8", &["203.0.113.9"], "192.0.2.8");
        check("::ffff:10.1.2.3", &["203.0.113.9"], "203.0.113.9");
        check("2001:db8::1", &["2a00::1"], "2a00::1");
    }

    #[test]
    fn last_address_without_proxy_is_client() {
        check("10.0.0.1", &["1.1.1.1, 203.0.113.9"], "203.0.113.9");
        check("10.0.0.1", &["1.1.1.1, 203.0.113.9, 10.0.0.2,10.0.0.3"], "203.0.113.9");
        check("10.0.0.1", &["1.1.1.1", "203.0.113.9", "10.0.0.2"], "203.0.113.9");
        check("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3");
        check("10.0.0.1", &["10.9.9.9, 203.0.113.9"], "203.0.113.9");
    }

    #[test]
    fn ports_are_ignored_and_invalid_entries_end_search() {
        check("10.0.0.1", &["203.0.113.9:4711"], "203.0.113.9");
        check("10.0.0.1", &["[2a00::1]:4711"], "2a00::1");
        check("10.0.0.1", &["[2a00::1]"], "2a00::1");
        check("10.0.0.1", &["::ffff:203.0.113.9"], "203.0.113.9");
        check("10.0.0.1", &["203.0.113.9, unknown, 10.0.0.2"], "10.0.0.2");
        check("10.0.0.1", &["203.0.113.9, "], "10.0.0.1");
        check("10.0.0.1", &[""], "10.0.0.1");
    }

    #[test]
    fn invalid_network_is_rejected() {
        for text in ["", "10.0.0.0/33", "10.0.0", "proxy", "10.0.0.0/8, 10.0.0.1", "::1/129"] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError), "{text}");
        }
    }
}
