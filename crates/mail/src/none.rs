//! No mail.

use async_trait::async_trait;
use foretell_ports::mail::{Letter, MailError, Mailer};

/// Sends no letter: those that were wanted while there was mail are dropped.
pub struct NoMailer;

#[async_trait]
impl Mailer for NoMailer {
    async fn send(&self, _: &Letter) -> Result<(), MailError> {
        Ok(())
    }
}
