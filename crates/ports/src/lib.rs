//! The ports of the domain: traits for storage, time, randomness and secrets that use cases depend
//! on.
//!
//! An adapter implements them and depends on nothing else of this project but the domain. Every
//! trait that writes has a name that ends in `Tx` and is available only inside
//! [`UnitOfWork::run`](unit::UnitOfWork); the query traits cannot write. The contract of each
//! method is in its documentation, and one test suite checks it for every adapter.

pub mod api_key;
pub mod cache;
pub mod cost;
mod credentials;
pub mod error;
pub mod grant;
pub mod health;
pub mod idempotency;
pub mod invitation;
pub mod job;
pub mod known_network;
pub mod ledger;
mod locked;
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
