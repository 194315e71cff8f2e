//! The settings of the HTTP server.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use foretell_web::{Network, TrustedProxies, WebOrigin};

use super::reader::Reader;

const MAX_ALLOWED_ORIGINS: usize = 100;
const MAX_TRUSTED_PROXIES: usize = 100;

/// The HTTP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    /// Where requests are taken.
    pub(crate) bind: SocketAddr,
    /// Threads that serve requests; `None` is one for each core.
    pub(crate) workers: Option<NonZeroUsize>,
    /// How long a connection without a request stays open.
    pub(crate) keep_alive: Duration,
    /// How long requests under way may take to finish at shutdown, in whole seconds.
    pub(crate) shutdown_timeout: Duration,
    /// How long it is said that the server will stop before it begins to.
    pub(crate) drain_delay: Duration,
    /// How long a client may leave unread what is sent to it.
    pub(crate) unread_timeout: Duration,
    /// How long the body of a request may take to arrive.
    pub(crate) request_body_timeout: Duration,
    /// The most open connections; `None` is as many as there are descriptors for.
    pub(crate) max_connections: Option<NonZeroUsize>,
    /// The most open connections of one address; `None` is a quarter of all.
    pub(crate) connections_per_address: Option<NonZeroUsize>,
    /// How long a client is kept waiting for an answer.
    pub(crate) answer_timeout: Duration,
    /// The largest body of a request.
    pub(crate) max_body_bytes: usize,
    /// The sites, beside the server's own, whose pages may speak to it.
    pub(crate) allowed_origins: Vec<WebOrigin>,
    /// The proxies that are believed about where requests come from.
    pub(crate) trusted_proxies: TrustedProxies,
}

pub(super) fn read_server(reader: &mut Reader) -> Option<Server> {
    let bind = reader.parsed("server.bind", |text| {
        text.parse().map_err(|_| "must be an IP address and a port, such as \"127.0.0.1:8080\"".to_owned())
    });
    let workers = reader.number("server.workers", 0..=1_024);
    let keep_alive_s = reader.number("server.keep_alive_s", 1..=3_600);
    let shutdown_timeout_s = reader.number("server.shutdown_timeout_s", 0..=3_600);
    let drain_delay_s = reader.number("server.drain_delay_s", 0..=300);
    let unread_timeout_s = reader.number("server.unread_timeout_s", 1..=3_600);
    let request_body_timeout_s = reader.number("server.request_body_timeout_s", 1..=3_600);
    let answer_timeout_ms = reader.number("server.answer_timeout_ms", 100..=600_000);
    let max_connections = reader.number("server.max_connections", 0..=1_000_000);
    let connections_per_address = reader.number("server.connections_per_address", 0..=1_000_000);
    let max_body_bytes = reader.number("server.max_body_bytes", 1_024..=64 * 1_024 * 1_024);
    let allowed_origins = reader.list("server.allowed_origins", MAX_ALLOWED_ORIGINS, |text| {
        text.parse::<WebOrigin>().map_err(|error| error.to_string())
    });
    let trusted_proxies = reader.list("server.trusted_proxies", MAX_TRUSTED_PROXIES, |text| {
        text.parse::<Network>().map_err(|error| error.to_string())
    });
    Some(Server {
        bind: bind?,
        workers: NonZeroUsize::new(workers?),
        keep_alive: Duration::from_secs(keep_alive_s?),
        shutdown_timeout: Duration::from_secs(shutdown_timeout_s?),
        drain_delay: Duration::from_secs(drain_delay_s?),
        unread_timeout: Duration::from_secs(unread_timeout_s?),
        request_body_timeout: Duration::from_secs(request_body_timeout_s?),
        answer_timeout: Duration::from_millis(answer_timeout_ms?),
        max_connections: NonZeroUsize::new(max_connections?),
        connections_per_address: NonZeroUsize::new(connections_per_address?),
        max_body_bytes: max_body_bytes?,
        allowed_origins: allowed_origins?,
        trusted_proxies: TrustedProxies::new(trusted_proxies?),
    })
}
