//! The address of the client that makes a request.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;
use actix_web::web::Data;

use crate::WebState;
use crate::trusted_proxies::FORWARDED_FOR;

/// IP address of the client, as far as trusted proxies report it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl ClientAddress {
    /// Returns the address of the client of this request.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let peer = request.peer_addr().map(|peer| peer.ip());
        // Peers without an address, as over a Unix socket, count as one client.
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let state = request.app_data::<Data<WebState>>();
        let address = state.map_or(peer, |state| {
            let forwarded = request.headers().get_all(FORWARDED_FOR);
            let forwarded: Vec<_> =
                forwarded.map(|value| value.to_str().unwrap_or_default()).collect();
            state.settings.trusted_proxies.client_behind(peer, &forwarded)
        });
        Self(address)
    }
}

from_head!(ClientAddress, ClientAddress::of);
