//! Settings of the HTTP server.

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
    /// Address to listen on.
    pub(crate) bind: SocketAddr,
    /// Threads that serve requests; `None` is one for each core.
    pub(crate) workers: Option<NonZeroUsize>,
    /// Time for which an idle connection stays open.
    pub(crate) keep_alive: Duration,
    /// Maximum duration of running requests at shutdown, in whole seconds.
    pub(crate) shutdown_timeout: Duration,
    /// Time between the failing readiness check and the shutdown.
    pub(crate) drain_delay: Duration,
    /// Maximum time for which a client may leave response data unread.
    pub(crate) unread_timeout: Duration,
    /// Timeout for the arrival of a request body.
    pub(crate) request_body_timeout: Duration,
    /// Maximum number of open connections; `None` uses the available descriptors.
    pub(crate) max_connections: Option<NonZeroUsize>,
    /// Maximum number of open connections per address; `None` is a quarter of all.
    pub(crate) connections_per_address: Option<NonZeroUsize>,
    /// Timeout of a response.
    pub(crate) answer_timeout: Duration,
    /// Maximum size of a request body.
    pub(crate) max_body_bytes: usize,
    /// Origins besides the server's own whose pages may call it.
    pub(crate) allowed_origins: Vec<WebOrigin>,
    /// Proxies that are trusted to report the client address.
    pub(crate) trusted_proxies: TrustedProxies,
}

pub(super) fn read_server(reader: &mut Reader) -> Option<Server> {
    let bind = reader.parsed("server.bind", |text| {
        text.parse()
            .map_err(|_| "must be an IP address and a port, such as \"127.0.0.1:8080\"".to_owned())
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
