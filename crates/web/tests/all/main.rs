//! Tests of the routes, with the real router and the in-memory store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has failed"
)]

#[path = "../support/mod.rs"]
mod support;

mod accounts;
mod admin;
mod background;
mod contract;
mod failures;
mod identity;
mod leaderboard;
mod limits;
mod logs;
mod markets;
mod origins;
mod owned_fields;
mod people;
mod portfolio;
mod posts;
mod search;
mod server;
mod spellings;
mod transfers;
