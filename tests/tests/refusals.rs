//! Tests of rejected requests: the response, and that nothing has changed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

mod accounts;
mod fixture;
mod markets;
mod raw;
mod routes;
mod trades;
mod transfers;
mod users;
