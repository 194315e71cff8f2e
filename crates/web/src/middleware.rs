//! Middleware of every request: request id and span, caught panics, rendered errors, rate limits
//! and CORS.

mod closing_body;
mod cors;
mod metering;
mod request_id;
mod request_metrics;
mod root;

pub(crate) use cors::cors;
pub(crate) use metering::{Metering, charge, meter};
pub(crate) use root::serve_request;
