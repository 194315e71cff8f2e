//! HTTP settings of the operator.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use foretell_domain::job::JobLane;
use secrecy::SecretString;
use tracing::Span;

use crate::origins::WebOrigin;
use crate::trusted_proxies::TrustedProxies;

/// HTTP settings of the operator.
#[derive(Debug, Clone)]
pub struct WebSettings {
    /// `true` if cookies are sent over HTTPS only; `false` in development.
    pub secure_cookies: bool,
    /// Maximum size of a request body, in bytes.
    pub max_body_bytes: usize,
    /// Timeout for the arrival of a body.
    pub body_timeout: Duration,
    /// Timeout of a response after its body has arrived; work in progress continues.
    pub answer_timeout: Duration,
    /// Origins besides the server's own whose pages may read responses and use the session cookie.
    pub allowed_origins: Vec<WebOrigin>,
    /// Proxies that are trusted to report the client address.
    pub trusted_proxies: TrustedProxies,
    /// Metrics and health of the process.
    pub operations: Operations,
    /// Adds the span of a request to the trace of its `traceparent` header (W3C Trace Context);
    /// `None` without tracing.
    pub join_trace: Option<fn(&Span, &str)>,
}

impl Default for WebSettings {
    fn default() -> Self {
        Self {
            secure_cookies: true,
            max_body_bytes: 1024 * 1024,
            body_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(2),
            allowed_origins: Vec::new(),
            trusted_proxies: TrustedProxies::default(),
            operations: Operations::default(),
            join_trace: None,
        }
    }
}

/// Metrics and health of the process, provided by other parts of it.
#[derive(Clone, Default)]
pub struct Operations {
    /// Renders all metrics in the Prometheus text format; `None` if there are none.
    pub metrics: Option<Arc<dyn Fn() -> String + Send + Sync>>,
    /// Token required to read them; `None` if anyone may.
    pub metrics_token: Option<SecretString>,
    /// Health of each lane of this process's worker; `None` if it has no worker.
    pub workers: Option<Arc<LaneHealth>>,
}

/// Returns for each lane of jobs whether it makes progress with due jobs.
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
