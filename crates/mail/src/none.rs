//! Mailer for servers without email.

use async_trait::async_trait;
use foretell_ports::mail::{MailError, Mailer, OutgoingEmail};

/// Sends no email: emails requested before email was disabled are dropped.
pub struct NoMailer;

#[async_trait]
impl Mailer for NoMailer {
    async fn send(&self, _: &OutgoingEmail) -> Result<(), MailError> {
        Ok(())
    }
}
