//! Support for tests: a server that takes what is sent to it.
#![allow(clippy::unwrap_used, reason = "support for tests fails like a test")]

use std::io;
use std::net::SocketAddr;

use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::{Settings, Telemetry};

/// What is received by whoever the settings name, at the address that they are made for, of some work.
pub(crate) fn received(settings: impl FnOnce(SocketAddr) -> Settings, work: impl FnOnce()) -> Vec<Request> {
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
