//! Receiver of a server's traces and errors.

use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Receives traces like an OpenTelemetry collector, and errors like Sentry.
pub struct Collector {
    server: MockServer,
    endpoint: String,
    dsn: String,
}

impl Collector {
    /// Listens on a free port.
    pub async fn start() -> Self {
        let server = MockServer::start().await;
        server.register(Mock::given(any()).respond_with(ResponseTemplate::new(200))).await;
        let address = server.address();
        let endpoint = format!("http://{address}/v1/traces");
        let dsn = format!("http://0123456789@{address}/7");
        Self { server, endpoint, dsn }
    }

    /// Returns the settings that make a server send both here.
    pub fn settings(&self) -> Vec<(&'static str, &str)> {
        vec![("FORETELL__TRACES__ENDPOINT", &self.endpoint), ("FORETELL__SENTRY__DSN", &self.dsn)]
    }

    /// Returns the bodies received at paths with this prefix, as text.
    pub async fn received(&self, path: &str) -> Vec<String> {
        let requests = self.server.received_requests().await.unwrap().into_iter();
        let requests = requests.filter(|request| request.url.path().starts_with(path));
        requests.map(|request| String::from_utf8_lossy(&request.body).into_owned()).collect()
    }
}
