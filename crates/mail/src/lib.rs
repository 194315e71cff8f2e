//! Writes letters from templates, and sends them by SMTP or puts them into a folder.
//!
//! Every letter has a `Message-ID` made from its own id. One that is sent again, because a crash left open whether it
//! had arrived, has the same, by which mail servers and programs recognise it.
//!
//! It knows nothing of jobs and storage.

mod none;
mod outbox;
mod smtp;
mod template;

pub use none::NoMailer;
pub use outbox::OutboxMailer;
pub use smtp::{SmtpError, SmtpMailer, SmtpSettings, TlsMode};
pub use template::{TemplateError, Templates};
