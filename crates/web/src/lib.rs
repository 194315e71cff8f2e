//! HTTP adapter: routing, request and response types, extractors and error responses.
//!
//! Depends on the use cases and their types, but not on storage. A handler extracts, converts,
//! calls one use case and converts back. Every response has the envelope, or for errors the form of
//! RFC 9457 if the client asks for it: see `middleware`, the only place that renders errors.

mod connections;
mod cpu_work;
mod cursor;
mod deadline;
mod dto;
mod error;
mod export;
mod extract;
mod header_names;
mod middleware;
mod openapi;
mod origins;
mod reply;
mod routes;
mod routing;
mod settings;
mod state;
mod trusted_proxies;
mod validation;
mod webhook_bodies;

use std::io;
use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{
    Extensions, HttpServiceFactory, Server, ServiceFactory, ServiceRequest, ServiceResponse,
};
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::web::{self, Data};
use actix_web::{App, HttpServer};
use socket2::{SockRef, Socket};

use crate::connections::Connections;
use crate::middleware::serve_request;

pub use actix_web::dev::ServerHandle;
pub use connections::ConnectionLimits;
pub use error::ErrorCode;
pub use export::ExportViews;
pub use openapi::openapi_json;
pub use origins::{OriginError, WebOrigin};
pub use settings::{LaneHealth, Operations, WebSettings};
pub use state::WebState;
pub use trusted_proxies::{Network, NetworkError, TrustedProxies};
pub use webhook_bodies::JsonBodies;

/// Builds all routes with their middleware, for a server or a test.
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
        .wrap(from_fn(move |request, next| serve_request(state.clone(), request, next)))
        .configure(routes::configure)
        .default_service(web::to(routing::unknown_route))
}

/// The same routes as a service of another actix app. They are served at their own paths, such as
/// `/api/v1/markets`, and every path that the app does not serve itself is answered by them, so
/// that this must be the last service of the app.
pub fn service(state: WebState) -> impl HttpServiceFactory {
    let cors = middleware::cors(&state.settings.allowed_origins);
    let state = Data::new(state);
    web::scope("")
        .app_data(state.clone())
        .wrap(cors)
        .wrap(from_fn(move |request, next| serve_request(state.clone(), request, next)))
        .configure(routes::configure)
        .default_service(web::to(routing::unknown_route))
}

/// Settings of the server.
#[derive(Debug, Clone, Copy)]
pub struct ServeOptions {
    /// Number of threads that serve requests.
    pub workers: usize,
    /// Time for which an idle connection stays open.
    pub keep_alive: Duration,
    /// Maximum duration of running requests after the server is asked to stop.
    pub shutdown_timeout: Duration,
    /// Maximum time for which a client may leave response data unread.
    pub unread_timeout: Duration,
    /// Limits of open connections.
    pub connections: ConnectionLimits,
}

/// Serves requests from `listener`, until its handle stops it: end the event streams first, or the
/// server waits for them. Await the server, then drain the application.
///
/// # Errors
/// Errors of the listener.
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
        // Above our own limit, which rejects connections; the server's limit would leave them
        // waiting.
        .max_connections(options.connections.total.saturating_add(2 * connections::RESERVED))
        // A client that closes its side expects no response: its request is cancelled and its
        // stream ends.
        .h1_allow_half_closed(false)
        .disable_signals()
        .workers(options.workers.max(1))
        .keep_alive(options.keep_alive)
        .shutdown_timeout(options.shutdown_timeout.as_secs())
        .listen(listener)?;
    Ok(server.run())
}

/// Closes a connection whose client does not read its data. The server itself never notices: it
/// waits for room in the socket buffer without limit.
fn limit_unread(stream: &TcpStream, timeout: Duration) {
    #[cfg(target_os = "linux")]
    if let Err(error) = SockRef::from(stream).set_tcp_user_timeout(Some(timeout)) {
        tracing::debug!(%error, "a connection has no limit on what its client leaves unread");
    }
}

/// Counts a connection while it is open, or closes it if there are too many.
fn count_connection(stream: &TcpStream, connections: &Arc<Connections>, data: &mut Extensions) {
    // A connection without a peer is already closed.
    let Ok(peer) = stream.peer_addr() else { return };
    let Some(connection) = connections.open(peer.ip()) else {
        return close(&SockRef::from(stream));
    };
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

/// Closes a connection. The server reads the end at once, and releases the descriptor.
fn close(socket: &Socket) {
    if let Err(error) = socket.shutdown(Shutdown::Both) {
        tracing::debug!(%error, "connection over the limit was gone already");
    }
}
