//! Test support: an HTTP server that records requests.
#![allow(clippy::unwrap_used, reason = "support for tests fails like a test")]

use std::io;
use std::net::SocketAddr;

use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::{Settings, Telemetry};

/// Runs some work, and returns the requests received at the address for which `settings` are made.
pub(crate) fn received(
    settings: impl FnOnce(SocketAddr) -> Settings,
    work: impl FnOnce(),
) -> Vec<Request> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let receiver = runtime.block_on(async {
        let receiver = MockServer::start().await;
        receiver.register(Mock::given(any()).respond_with(ResponseTemplate::new(200))).await;
        receiver
    });
    let settings = settings(*receiver.address());
    let telemetry = Telemetry::begin(&settings, "1.2.3").unwrap();
    let subscriber = telemetry.subscriber(&settings.log, io::sink).unwrap();
    tracing::subscriber::with_default(subscriber, work);
    drop(telemetry);
    runtime.block_on(receiver.received_requests()).unwrap()
}
