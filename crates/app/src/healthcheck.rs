//! `foretell healthcheck`: asks the running server whether it is ready, for those who have no other HTTP client.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::cli::say;
use crate::config::Settings;

/// How long the server may take.
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let address = reachable(settings.server.bind);
    let answer = timeout(PATIENCE, ask(address)).await;
    let answer = answer.with_context(|| format!("no answer from {address}"))?;
    let answer = answer.with_context(|| format!("{address} cannot be asked"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if !head.starts_with("HTTP/1.1 200") {
        bail!("{address} is not ready: {body}");
    }
    say(body);
    Ok(ExitCode::SUCCESS)
}

/// Where a server on this machine that listens there is found.
fn reachable(bind: SocketAddr) -> SocketAddr {
    let ip = match bind.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bind.port())
}

async fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
