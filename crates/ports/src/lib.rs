//! The traits around the domain: what the use cases need of storage, time, chance and secrets.
//!
//! An adapter implements them and knows nothing else of this project but the domain. Whatever writes is on
//! a trait whose name ends in `Tx` and is reached only inside [`UnitOfWork::run`](unit::UnitOfWork); the
//! query traits cannot write. The contract of each method is in its documentation and is checked for every
//! adapter by one suite of tests.

pub mod api_key;
pub mod cache;
pub mod cost;
pub mod error;
pub mod health;
pub mod idempotency;
pub mod job;
pub mod known_network;
pub mod ledger;
pub mod mail;
pub mod market;
pub mod page;
pub mod portfolio;
pub mod post;
pub mod quota;
pub mod rate_limit;
pub mod search;
pub mod secret;
pub mod system;
pub mod unit;
pub mod user;
pub mod user_changes;
pub mod vector;
pub mod webhook;
