//! What surrounds every request: its id and span, caught panics, and failures written for the client.

mod answer;
mod closing;
mod request_id;

pub(crate) use answer::Answering;
