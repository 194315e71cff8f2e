//! Middleware of every request: request id and span, caught panics, rendered errors, rate limits
//! and CORS.

mod answer;
mod closing;
mod cors;
mod metering;
mod request_id;
mod request_metrics;

pub(crate) use answer::Answering;
pub(crate) use cors::cors;
pub(crate) use metering::{charge, meter};
