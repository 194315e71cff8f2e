//! What surrounds every request: its id and span, caught panics, failures written for the client, and which
//! other sites may read the answers.

mod answer;
mod closing;
mod cors;
mod request_id;

pub(crate) use answer::Answering;
pub(crate) use cors::cors;
