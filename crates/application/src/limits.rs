//! Limits of requests and of open event streams.

pub(crate) mod open_streams;
pub(crate) mod request_limits;

use std::sync::Arc;

use foretell_ports::rate_limit::RateLimiter;
use foretell_ports::system::Clock;

use crate::application::{ApplicationSettings, Ports};
use open_streams::OpenStreams;
use request_limits::RequestLimits;

/// Limits of requests and of open event streams.
pub struct Limits {
    limiter: Arc<dyn RateLimiter>,
    clock: Arc<dyn Clock>,
    requests: RequestLimits,
    streams: OpenStreams,
}

impl Limits {
    pub(crate) fn new(ports: &Ports, settings: &ApplicationSettings) -> Self {
        Self {
            limiter: Arc::clone(&ports.limiter),
            clock: Arc::clone(&ports.clock),
            requests: settings.request_limits,
            streams: OpenStreams::new(settings.stream_limits),
        }
    }
}
