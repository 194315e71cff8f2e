//! Limits of requests and of open event streams.

mod meter_requests;
pub(crate) mod open_streams;
pub(crate) mod request_limits;

use std::sync::Arc;

use foretell_ports::rate_limit::RateLimiter;
use foretell_ports::system::Clock;

use crate::error::AppError;
use crate::ports::Ports;
use crate::settings::ApplicationSettings;
use open_streams::{OpenStreams, StreamPermit};
use request_limits::{RequestLimits, Requester};

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

    /// Counts one more open stream for a requester.
    ///
    /// # Errors
    /// [`AppError::TooManyStreams`] if the requester, or all requesters together, have too many.
    pub fn open_stream(&self, requester: Requester) -> Result<StreamPermit, AppError> {
        self.streams.open(requester)
    }
}
