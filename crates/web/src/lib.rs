//! The HTTP adapter: routing, DTOs, extractors and error responses.
//!
//! It knows the use cases and the types that they speak of, and nothing of where anything is stored. A
//! handler extracts, converts, calls one use case and converts back. Every answer is in the envelope, or for
//! failures in RFC 9457 where the client asks for it: see `middleware`, the only place that writes failures.

mod connections;
mod cpu_work;
mod cursor;
mod dto;
mod error;
mod export;
mod extract;
mod faults;
mod middleware;
mod openapi;
mod origins;
mod patience;
mod reply;
mod routes;
mod routing;
mod trusted_proxies;
mod webhook_bodies;

use std::fmt;
use std::io;
use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{Extensions, Server, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::rt::net::TcpStream;
use actix_web::web::{self, Data};
use actix_web::{App, HttpServer};
use foretell_application::Application;
use foretell_domain::job::JobLane;
use secrecy::SecretString;
use socket2::{SockRef, Socket};
use tracing::Span;

use crate::connections::Connections;

pub use actix_web::dev::ServerHandle;
pub use connections::ConnectionLimits;
pub use error::ErrorCode;
pub use export::ExportViews;
pub use openapi::openapi_json;
pub use origins::{OriginError, WebOrigin};
pub use trusted_proxies::{Network, NetworkError, TrustedProxies};
pub use webhook_bodies::JsonBodies;

/// What an operator decides about HTTP.
#[derive(Debug, Clone)]
pub struct WebSettings {
    /// Whether cookies travel over HTTPS only; false in development.
    pub secure_cookies: bool,
    /// The largest body that is read, in bytes.
    pub max_body_bytes: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How long a client is kept waiting for an answer once its body is there; what was begun by then is carried on.
    pub answer_timeout: Duration,
    /// What cursors are signed with: the same on all nodes, or a walk ends where it meets another one.
    pub cursor_key: [u8; 32],
    /// The sites, beside the server's own, whose pages may read answers and use the session's cookie.
    pub allowed_origins: Vec<WebOrigin>,
    /// The proxies that are believed about where requests come from.
    pub trusted_proxies: TrustedProxies,
    /// What operators and their tools are told.
    pub operations: Operations,
    /// Makes the span of a request part of the trace that a header `traceparent` (W3C Trace Context) tells of; nothing
    /// where no traces are kept.
    pub join_trace: Option<fn(&Span, &str)>,
}

impl Default for WebSettings {
    fn default() -> Self {
        Self {
            secure_cookies: true,
            max_body_bytes: 1024 * 1024,
            body_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(2),
            cursor_key: [0; 32],
            allowed_origins: Vec::new(),
            trusted_proxies: TrustedProxies::default(),
            operations: Operations::default(),
            join_trace: None,
        }
    }
}

/// What operators and their tools are told, of what HTTP knows nothing of.
#[derive(Clone, Default)]
pub struct Operations {
    /// Writes all metrics out as Prometheus reads them; nothing where there are none.
    pub metrics: Option<Arc<dyn Fn() -> String + Send + Sync>>,
    /// What must be presented to read them; nothing if anyone may.
    pub metrics_token: Option<SecretString>,
    /// Whether each lane of this process's worker gets on with its jobs; nothing where it has no worker.
    pub workers: Option<Arc<LaneHealth>>,
}

/// Tells of each lane of jobs whether it gets on with those that are due.
pub type LaneHealth = dyn Fn() -> Vec<(JobLane, bool)> + Send + Sync;

impl fmt::Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (has_metrics, has_workers) = (self.metrics.is_some(), self.workers.is_some());
        f.debug_struct("Operations")
            .field("metrics", &has_metrics)
            .field("metrics_token", &self.metrics_token)
            .field("workers", &has_workers)
            .finish()
    }
}

/// What all requests share.
#[derive(Clone)]
pub struct WebState {
    /// The use cases.
    pub application: Arc<Application>,
    /// What the operator decided.
    pub settings: WebSettings,
}

/// All routes with everything around them, for a server or a test.
pub fn app(
    state: WebState,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    let cors = middleware::cors(&state.settings.allowed_origins);
    let state = Data::new(state);
    App::new()
        .app_data(state.clone())
        .wrap(cors)
        .wrap(middleware::Answering(state))
        .configure(routes::configure)
        .default_service(web::to(routing::unknown_route))
}

/// How the server runs.
#[derive(Debug, Clone, Copy)]
pub struct ServeOptions {
    /// How many threads serve requests.
    pub workers: usize,
    /// How long a connection without a request stays open.
    pub keep_alive: Duration,
    /// How long requests under way may take once the server is asked to stop.
    pub shutdown_timeout: Duration,
    /// How long a client may leave unread what is sent to it.
    pub unread_timeout: Duration,
    /// How many connections may be open.
    pub connections: ConnectionLimits,
}

/// Serves requests that come in by `listener`, until its handle stops it: end the following of markets before,
/// or the open streams are waited for. Await the server, then drain the application.
///
/// # Errors
/// Those of the listener.
pub fn serve(listener: TcpListener, state: WebState, options: ServeOptions) -> io::Result<Server> {
    let unread_timeout = options.unread_timeout;
    let connections = Connections::new(options.connections, state.settings.trusted_proxies.clone());
    let server = HttpServer::new(move || app(state.clone()))
        .on_connect(move |connection, data| {
            if let Some(stream) = connection.downcast_ref::<TcpStream>() {
                limit_unread(stream, unread_timeout);
                count_connection(stream, &connections, data);
            }
        })
        // Above our own limit, which rejects; the server itself would leave new connections waiting.
        .max_connections(options.connections.total.saturating_add(2 * connections::RESERVED))
        // A client that has closed its side waits for nothing: its request is cancelled and its stream ends.
        .h1_allow_half_closed(false)
        .disable_signals()
        .workers(options.workers.max(1))
        .keep_alive(options.keep_alive)
        .shutdown_timeout(options.shutdown_timeout.as_secs())
        .listen(listener)?;
    Ok(server.run())
}

/// Ends a connection whose client does not take what is sent to it. The server itself never notices: it waits for
/// room in the socket, for as long as the client pleases.
fn limit_unread(stream: &TcpStream, timeout: Duration) {
    #[cfg(target_os = "linux")]
    if let Err(error) = SockRef::from(stream).set_tcp_user_timeout(Some(timeout)) {
        tracing::debug!(%error, "a connection has no limit on what its client leaves unread");
    }
}

/// Counts a connection for as long as it is open, or closes it if there are too many.
fn count_connection(stream: &TcpStream, connections: &Arc<Connections>, data: &mut Extensions) {
    // One without a peer is gone already.
    let Ok(peer) = stream.peer_addr() else { return };
    let Some(connection) = connections.open(peer.ip()) else { return close(&SockRef::from(stream)) };
    if connection.is_reserved() {
        match SockRef::from(stream).try_clone() {
            Ok(socket) => connection.evict_with(move || close(&socket)),
            Err(error) => {
                tracing::debug!(
                    %error,
                    "connection over the limit cannot be closed for another one"
                );
            }
        }
    }
    data.insert(connection);
}

/// Closes a connection. The server reads its end at once, and gives the descriptor back.
fn close(socket: &Socket) {
    if let Err(error) = socket.shutdown(Shutdown::Both) {
        tracing::debug!(%error, "connection over the limit was gone already");
    }
}
