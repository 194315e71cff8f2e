//! Implementation of the ports: each method calls one repository function and adds nothing.

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
