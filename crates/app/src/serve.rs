//! `foretell serve`: serves the API until it is asked to stop, and then finishes accepted work.

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use foretell::Workers;
use foretell_application::Application;
use foretell_telemetry::{Metrics, join_trace};
use foretell_web::{ConnectionLimits, Operations, ServeOptions, ServerHandle, WebSettings};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::cli::ServeArguments;
use crate::config::{MetricsAccess, Settings};
use crate::gauges;
use crate::signals::{Signals, survive_hangup};
use crate::wiring;

/// Descriptors for everything except clients and the database: files, Redis, emails, webhooks,
/// health checks.
const OWN_FILES: usize = 160;

/// Default maximum number of connections.
const USUAL_CONNECTIONS: usize = 25_000;

pub(crate) async fn run(
    settings: &Settings,
    arguments: &ServeArguments,
) -> anyhow::Result<ExitCode> {
    survive_hangup().context("cannot listen for signals")?;
    // First of all, so that a second server on the same port changes nothing.
    let bind = settings.server.bind;
    let listener = TcpListener::bind(bind)
        .with_context(|| format!("cannot listen on {bind} (server.bind)"))?;
    if let Some(warning) = exposure(settings) {
        tracing::warn!("{warning}");
    }
    let connections = connection_limits(settings, raise_limit_of_files());
    let foretell = wiring::build(&within(settings, connections)).await?;
    let application = Arc::clone(foretell.application());
    let workers = (!arguments.no_worker).then(|| foretell.start_workers(settings.jobs));
    let metrics = Metrics::install(env!("CARGO_PKG_VERSION"))?;
    let lane_health = workers.as_ref().map(Workers::lane_health);
    tokio::spawn(gauges::update_periodically(
        Arc::clone(&application),
        metrics.clone(),
        lane_health,
    ));
    foretell.start_indexing();
    let state = foretell
        .web_state(WebSettings {
            secure_cookies: settings.auth.secure_cookies,
            max_body_bytes: settings.server.max_body_bytes,
            body_timeout: settings.server.request_body_timeout,
            answer_timeout: settings.server.answer_timeout,
            allowed_origins: settings.server.allowed_origins.clone(),
            trusted_proxies: settings.server.trusted_proxies.clone(),
            operations: operations(&settings.metrics, metrics, workers.as_ref()),
            join_trace: settings.telemetry.traces.is_some().then_some(join_trace),
        })
        .await?;
    let address = listener.local_addr()?;
    let http_workers =
        settings.server.workers.or_else(|| std::thread::available_parallelism().ok());
    let signals = Signals::listen().context("cannot listen for signals")?;
    let options = ServeOptions {
        workers: http_workers.map_or(1, NonZeroUsize::get),
        keep_alive: settings.server.keep_alive,
        shutdown_timeout: settings.server.shutdown_timeout,
        unread_timeout: settings.server.unread_timeout,
        connections,
    };
    let server = foretell_web::serve(listener, state, options)?;
    let delay = settings.server.drain_delay;
    tokio::spawn(stop_when_asked(signals, server.handle(), Arc::clone(&application), delay));
    say_hello(address, settings, &application).await;
    server.await.context("the server failed")?;
    tracing::info!("no longer listening, finishing accepted work");
    if let Some(workers) = workers {
        workers.stop(settings.server.shutdown_timeout).await;
    }
    application.operations.drain().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Raises the limit of open files as far as allowed: each connection needs one, and the default is
/// low. Returns the limit; `None` means unlimited.
fn raise_limit_of_files() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(
            %error,
            "raising the limit of open files failed, which limits the number of connections"
        );
        return limit.current;
    }
    limit.maximum
}

/// Returns a warning if a server with the settings of development is reachable from other machines.
fn exposure(settings: &Settings) -> Option<String> {
    let bind = settings.server.bind;
    let is_exposed = settings.is_development && !bind.ip().to_canonical().is_loopback();
    is_exposed.then(|| {
        format!(
            "server.bind = {bind} can be reached from other machines, and the settings are those \
             of development: cookies are sent without HTTPS and requests are not limited; set \
             FORETELL_ENV=production"
        )
    })
}

/// Returns the limits of connections: the settings, within the limit of open files.
fn connection_limits(settings: &Settings, max_files: Option<u64>) -> ConnectionLimits {
    let max_files =
        max_files.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX));
    let database = &settings.database;
    // A connection to SQLite keeps its file, its log and the log's index open.
    let own = OWN_FILES + 3 * (database.read_connections + database.write_connections);
    let possible = max_files.saturating_sub(own).max(max_files / 2).max(1);
    let wanted = settings.server.max_connections.map_or(USUAL_CONNECTIONS, NonZeroUsize::get);
    let total = wanted.min(possible);
    if settings.server.max_connections.is_some() && total < wanted {
        tracing::warn!(
            max_files,
            "server.max_connections is {wanted}, and the limit of open files allows {total}: \
             raise it (ulimit -n)"
        );
    }
    let per_address = settings.server.connections_per_address.map_or(total / 4, NonZeroUsize::get);
    ConnectionLimits { total, per_address: per_address.max(1) }
}

/// Returns the settings with at most half of the connections for event streams.
fn within(settings: &Settings, connections: ConnectionLimits) -> Settings {
    let most = u32::try_from(connections.total / 2).unwrap_or(u32::MAX).max(1);
    let mut settings = settings.clone();
    settings.streams.total = Some(settings.streams.total.map_or(most, |total| total.min(most)));
    settings
}

/// Returns the metrics and health of the process for the HTTP server.
fn operations(access: &MetricsAccess, metrics: Metrics, workers: Option<&Workers>) -> Operations {
    let token = match access {
        MetricsAccess::Token(token) => Some(token.clone()),
        MetricsAccess::Open | MetricsAccess::None => None,
    };
    let may_be_read = !matches!(access, MetricsAccess::None);
    Operations {
        metrics: may_be_read.then(|| Arc::new(move || metrics.render()) as _),
        metrics_token: token,
        workers: workers.map(Workers::lane_health),
    }
}

/// Stops the server when the process is asked to stop; a second signal stops it immediately.
async fn stop_when_asked(
    mut signals: Signals,
    server: ServerHandle,
    application: Arc<Application>,
    delay: Duration,
) {
    signals.next().await;
    application.operations.announce_end();
    if !delay.is_zero() {
        tracing::info!(
            seconds = delay.as_secs(),
            "stop signal: readiness check fails from now on, still serving"
        );
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = signals.next() => {
                tracing::warn!("second stop signal: stopping immediately");
                std::process::exit(1);
            }
        }
    }
    application.markets.end_event_streams();
    // The result is handled where the server itself is awaited.
    drop(server.stop(true));
    signals.next().await;
    tracing::warn!("second stop signal: stopping immediately");
    std::process::exit(1);
}

/// Logs the address of the server, and the next steps for an empty database.
async fn say_hello(address: SocketAddr, settings: &Settings, application: &Application) {
    let database = &settings.database.url;
    tracing::info!(%database, "listening on http://{address}");
    if matches!(application.queries.users.has_users().await, Ok(false)) {
        tracing::info!("no users yet: register one with POST http://{address}/api/v1/users");
        tracing::info!(
            "create an admin: foretell admin create --email you@example.org --name You \
             --password-stdin"
        );
        tracing::info!("load demo data: stop the server, run foretell demo, and start it again");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Settings {
        let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Settings::load(variables, None).unwrap()
    }

    #[test]
    fn exposed_development_server_causes_warning() {
        let is_warned = |environment: &str, bind: &str| {
            let variables = [("FORETELL_ENV", environment), ("FORETELL__SERVER__BIND", bind)];
            exposure(&settings(&variables)).is_some()
        };
        for bind in ["0.0.0.0:80", "[::]:80", "192.0.2.1:80", "[2001:db8::1]:80"] {
            assert!(is_warned("development", bind), "{bind}");
            assert!(!is_warned("production", bind), "{bind}");
        }
        for bind in ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
            assert!(!is_warned("development", bind), "{bind}");
        }
    }

    #[test]
    fn connection_limit_reserves_descriptors() {
        let check = |variables: &[(&str, &str)], max_files, expected| {
            let limits = connection_limits(&settings(variables), max_files);
            assert_eq!((limits.total, limits.per_address), expected, "{variables:?} {max_files:?}");
        };
        let own = OWN_FILES + 3 * 5;
        check(&[], None, (25_000, 6_250));
        check(&[], Some(1_000_000), (25_000, 6_250));
        check(&[], Some(1_024), (1_024 - own, (1_024 - own) / 4));
        check(&[], Some(64), (32, 8));
        let set = [
            ("FORETELL__SERVER__MAX_CONNECTIONS", "500"),
            ("FORETELL__SERVER__CONNECTIONS_PER_ADDRESS", "7"),
        ];
        check(&set, Some(1_024), (500, 7));
        check(&set, Some(600), (600 - own, 7));
    }

    #[test]
    fn streams_use_at_most_half_of_connections() {
        let total = |variables: &[(&str, &str)]| {
            let connections = ConnectionLimits { total: 1_000, per_address: 250 };
            within(&settings(variables), connections).streams.total
        };
        assert_eq!(total(&[]), Some(500));
        assert_eq!(total(&[("FORETELL__LIMITS__STREAMS", "0")]), Some(500));
        assert_eq!(total(&[("FORETELL__LIMITS__STREAMS", "20")]), Some(20));
    }
}
