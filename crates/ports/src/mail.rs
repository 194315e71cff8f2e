//! Emails to users.

use async_trait::async_trait;
use foretell_domain::text::{Email, MarketName, OptionName, UserName};
use foretell_domain::time::Timestamp;
use thiserror::Error;

/// An email to a user.
#[derive(Debug, Clone, PartialEq)]
pub struct OutgoingEmail {
    /// Identifier of the email: an email that is sent again, because its delivery is unknown, has
    /// the same one.
    pub id: u128,
    /// Recipient's email address.
    pub to: Email,
    /// Recipient's name.
    pub name: UserName,
    /// Content.
    pub content: EmailContent,
}

/// Content of an email.
#[derive(Debug, Clone, PartialEq)]
pub enum EmailContent {
    /// Welcome to a newly registered user.
    Welcome,
    /// Outcome of a market in which the user held shares.
    Decision {
        /// The market.
        market: MarketName,
        /// The outcome.
        decision: DecisionText,
    },
}

/// Outcome of a market as an email describes it.
#[derive(Debug, Clone, PartialEq)]
pub enum DecisionText {
    /// These options pay, with their parts in basis points; one option with 10,000 is the only
    /// winner.
    Resolved(Vec<(OptionName, u16)>),
    /// The market was cancelled and the stakes were refunded.
    Cancelled,
}

/// Reason why an email was not sent.
#[derive(Debug, Error)]
pub enum MailError {
    /// The server is unreachable, rejects the credentials, or fails temporarily.
    #[error("the email could not be sent: {0}")]
    Unsent(String),
    /// The recipient can never receive email: another attempt would fail too.
    #[error("the email was refused: {0}")]
    Refused(String),
    /// A template failed to render.
    #[error("the email could not be written: {0}")]
    Unwritten(String),
    /// Stored emails could not be deleted.
    #[error("stored emails could not be deleted: {0}")]
    Unpurged(String),
}

/// Sends emails.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Sends an email. After `Ok` it was handed over; after an error its delivery is unknown.
    ///
    /// # Errors
    /// [`MailError`].
    async fn send(&self, email: &OutgoingEmail) -> Result<(), MailError>;

    /// Deletes the stored emails that are older than the configured retention, and returns their
    /// number. A mailer that stores no emails deletes none.
    ///
    /// # Errors
    /// [`MailError::Unpurged`].
    async fn purge(&self, _now: Timestamp) -> Result<u64, MailError> {
        Ok(0)
    }
}
