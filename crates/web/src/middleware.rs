//! What surrounds every request: its id and span, caught panics, failures written for the client, and how many
//! there may be, and which other sites may read the answers.

mod answer;
mod closing;
mod cors;
mod measures;
mod metering;
mod request_id;

pub(crate) use answer::Answering;
pub(crate) use cors::cors;
pub(crate) use metering::{charge, meter};
