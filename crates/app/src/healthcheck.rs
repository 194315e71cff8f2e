//! `foretell healthcheck`: checks that the running server is ready, for environments without
//! another HTTP client.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::cli::say;
use crate::config::Settings;

/// Timeout of the server.
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let address = reachable(settings.server.bind);
    let config = ureq::Agent::config_builder().proxy(None).timeout_global(Some(PATIENCE));
    let agent = config.http_status_as_error(false).build().new_agent();
    // It blocks: nothing else runs in this process.
    let answer = agent.get(format!("http://{address}/readyz")).call();
    let mut answer = answer.with_context(|| format!("no response from {address}"))?;
    let is_ready = answer.status().is_success();
    let body = answer.body_mut().read_to_string();
    let body = body.with_context(|| format!("{address} closed the connection early"))?;
    if !is_ready {
        bail!("{address} is not ready: {body}");
    }
    say(body);
    Ok(ExitCode::SUCCESS)
}

/// Returns the address at which a server on this machine with this listen address is reachable.
fn reachable(bind: SocketAddr) -> SocketAddr {
    let ip = match bind.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bind.port())
}
