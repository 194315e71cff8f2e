//! The ports, method by method: each opens the way to a repository and adds nothing.

mod idempotency;
mod job;
mod ledger;
mod market;
mod post;
mod quota;
mod search;
mod secret;
mod user;
mod vector;
mod webhook;
