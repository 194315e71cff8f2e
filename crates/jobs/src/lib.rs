//! The workers: they take jobs up, run them, and try again what failed.
//!
//! A [`Worker`] looks for jobs that are due, in each lane by itself, and runs several at once. What a job does is a use
//! case; that it is done once, whatever becomes of the worker, is up to the leases of the port. It knows neither SQL nor
//! HTTP.

mod attempt;
mod pulse;
mod worker;

pub use pulse::LaneHealth;
pub use worker::{Worker, WorkerSettings};
