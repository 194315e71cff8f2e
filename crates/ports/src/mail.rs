//! Mail: what is written to users.

use async_trait::async_trait;
use foretell_domain::text::{Email, MarketName, OptionName, UserName};
use foretell_domain::time::Timestamp;
use thiserror::Error;

/// A letter to a user.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// Names it: a letter that is sent again, because nobody knows whether it arrived, has the same.
    pub id: u128,
    /// Where it goes.
    pub to: Email,
    /// Whom it addresses.
    pub name: UserName,
    /// What it says.
    pub content: LetterContent,
}

/// What a letter says.
#[derive(Debug, Clone, PartialEq)]
pub enum LetterContent {
    /// The user has registered.
    Welcome,
    /// A market in which the user held shares has ended.
    Decision {
        /// The market.
        market: MarketName,
        /// How it has ended.
        decision: DecisionText,
    },
}

/// How a market has ended, as a letter tells it.
#[derive(Debug, Clone, PartialEq)]
pub enum DecisionText {
    /// These options pay, with their parts in basis points; one of 10,000 has won alone.
    Resolved(Vec<(OptionName, u16)>),
    /// The stakes went back.
    Cancelled,
}

/// Why a letter was not sent.
#[derive(Debug, Error)]
pub enum MailError {
    /// The server is away, does not let us in, or refuses for now.
    #[error("the email could not be sent: {0}")]
    Unsent(String),
    /// Nothing can ever be sent to this recipient: another attempt would fail too.
    #[error("the email was refused: {0}")]
    Refused(String),
    /// The letter could not be written: a template is broken.
    #[error("the letter could not be written: {0}")]
    Unwritten(String),
    /// Stored emails could not be deleted.
    #[error("stored emails could not be deleted: {0}")]
    Unpurged(String),
}

/// Sends letters.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Sends a letter; it has left once this returns. After an error it may have left too.
    ///
    /// # Errors
    /// [`MailError`].
    async fn send(&self, letter: &Letter) -> Result<(), MailError>;

    /// Deletes the stored emails that are older at this time than the operator wants, and returns their number. A mailer
    /// that stores none has none to delete.
    ///
    /// # Errors
    /// [`MailError::Unpurged`].
    async fn purge(&self, _now: Timestamp) -> Result<u64, MailError> {
        Ok(0)
    }
}
