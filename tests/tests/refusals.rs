//! What is refused, how it is said, and that nothing has changed by it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

mod accounts;
mod markets;
mod raw;
mod routes;
mod scene;
mod trades;
mod transfers;
mod users;
