//! Sends signed messages to webhooks, as [Standard Webhooks 1.0](https://www.standardwebhooks.com) has it.
//!
//! A server that sends requests to whatever address it is given can be made to send them to its own neighbours. So
//! a message goes only to public addresses (unless the operator says otherwise), which is looked at for each
//! connection, when its name has been resolved; nothing follows a redirect, and nothing goes through a proxy. The
//! answer's body is not read.
//!
//! It knows nothing of markets, storage and who may have webhooks.

mod address;
mod resolver;
mod retry_after;
mod sender;
mod signature;

pub use sender::{HttpWebhookSender, SenderError, SenderSettings};
