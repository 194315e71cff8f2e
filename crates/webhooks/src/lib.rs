//! Sends signed messages to webhooks, according to [Standard Webhooks
//! 1.0](https://www.standardwebhooks.com).
//!
//! A server that sends requests to any given address can be abused to reach internal services
//! (SSRF). So a message is sent only to public addresses (unless the operator allows others), which
//! is checked for each connection after its name is resolved; redirects are not followed, and no
//! proxy is used. The body of the response is not read.
//!
//! Depends neither on markets nor on storage, and does not decide who may have webhooks.

mod address;
mod resolver;
mod retry_after;
mod sender;
mod signature;

pub use sender::{HttpWebhookSender, SenderSettings};
