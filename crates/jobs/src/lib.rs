//! Workers: they lease jobs, run them, and retry failed ones.
//!
//! A [`Worker`] polls for due jobs, in each lane separately, and runs several at once. The task of
//! a job is a use case; the leases of the port ensure that it is completed once, even if a worker
//! crashes. Depends neither on SQL nor on HTTP.

mod attempt;
mod heartbeat;
mod worker;

pub use heartbeat::LaneHealth;
pub use worker::{Worker, WorkerSettings};
