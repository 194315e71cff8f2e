//! Renders emails from templates, and sends them by SMTP or writes them to a folder.
//!
//! Every email has a `Message-ID` made from its own id. An email that is sent again, because a
//! crash left its delivery unknown, has the same one, so that mail servers and clients recognise
//! the duplicate.
//!
//! Depends neither on jobs nor on storage.

mod none;
mod outbox;
mod smtp;
mod template;

pub use none::NoMailer;
pub use outbox::OutboxMailer;
pub use smtp::{SmtpError, SmtpMailer, SmtpSettings, TlsMode};
pub use template::{TemplateError, Templates};
