//! Storage of webhooks and of their cursors in each market, and sending of messages.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use foretell_domain::id::{MarketId, WebhookId};
use foretell_domain::market::{Bet, Market, Phase};
use foretell_domain::time::Timestamp;
use foretell_domain::webhook::{WebhookEvents, WebhookStatus, WebhookUrl};
use thiserror::Error;

use crate::error::StoreError;
use crate::locked::Locked;
use crate::market::MarketDetails;
use crate::page::PageRequest;

/// Signing key of messages: 256 random bits shared with the receiver only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WebhookSecret(pub [u8; 32]);

/// Never shows the secret.
impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}

/// A webhook: its URL, its events and its signing keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Identifier of the webhook.
    pub id: WebhookId,
    /// URL that messages are sent to.
    pub url: WebhookUrl,
    /// Events that it receives.
    pub events: WebhookEvents,
    /// Status.
    pub status: WebhookStatus,
    /// Signing key of messages.
    pub secret: WebhookSecret,
    /// Previous signing key, and the time until which messages are signed with it too.
    pub replaced: Option<(WebhookSecret, Timestamp)>,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time of the first failure since the last delivered message, and the last error; `None` while
    /// messages are delivered.
    pub failing: Option<(Timestamp, String)>,
}

/// Cursor of a webhook in a market: the last events that were delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookCursor {
    /// Number of the last delivered bet or sale, 0 for none.
    pub sequence: i64,
    /// Last delivered status; `None` before the market has opened.
    pub phase: Option<Phase>,
}

/// Changes of a market in a unit of work that webhooks must receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketChange {
    /// The market.
    pub market_id: MarketId,
    /// Cursor before the changes.
    pub before: WebhookCursor,
    /// Kinds of changes.
    pub events: WebhookEvents,
}

/// Writes webhooks within a unit of work.
///
/// A *cursor* is the position after which a webhook still has to receive the events of a
/// market. It exists only while there is something to deliver; the lock on its market protects it.
pub trait WebhookTx {
    /// Returns the number of webhooks. Until this unit ends, no other unit inserts a webhook or
    /// calls this.
    fn lock_and_count_webhooks(&mut self) -> Result<u32, StoreError>;

    /// Inserts a webhook.
    fn insert_webhook(&mut self, webhook: &Webhook) -> Result<(), StoreError>;

    /// Locks a webhook.
    fn lock_webhook(&mut self, id: WebhookId) -> Result<Option<Locked<Webhook>>, StoreError>;

    /// Stores a locked webhook.
    fn save_webhook(&mut self, webhook: &Locked<Webhook>) -> Result<(), StoreError>;

    /// Deletes a webhook with its cursors. Returns `true` if it existed.
    fn delete_webhook(&mut self, id: WebhookId) -> Result<bool, StoreError>;

    /// Adds missing cursors: for each enabled webhook and each of these markets with an event that
    /// the webhook receives. Returns those added, in any order. Each market must be locked or new,
    /// and listed once.
    fn add_webhook_cursors(
        &mut self,
        changes: &[MarketChange],
    ) -> Result<Vec<(WebhookId, MarketId)>, StoreError>;

    /// Returns the cursor of a webhook in a locked market.
    fn find_webhook_cursor(
        &mut self,
        webhook: WebhookId,
        market: &Locked<Market>,
    ) -> Result<Option<WebhookCursor>, StoreError>;

    /// Moves the cursor of a webhook in a market, if it exists: only the job that delivers these
    /// events does so.
    fn move_webhook_cursor(
        &mut self,
        webhook: WebhookId,
        market: MarketId,
        cursor: WebhookCursor,
    ) -> Result<(), StoreError>;

    /// Deletes the cursor of a webhook in a market, if it exists. Unless the market is locked or
    /// deleted, events may be lost.
    fn delete_webhook_cursor(
        &mut self,
        webhook: WebhookId,
        market: MarketId,
    ) -> Result<(), StoreError>;

    /// Deletes all cursors of a locked webhook.
    fn delete_webhook_cursors(&mut self, webhook: &Locked<Webhook>) -> Result<(), StoreError>;
}

/// Reads webhooks.
#[async_trait]
pub trait WebhookQueries: Send + Sync {
    /// Returns the webhook with this id.
    async fn find_webhook(&self, id: WebhookId) -> Result<Option<Webhook>, StoreError>;

    /// Returns a page of all webhooks, newest first.
    async fn list_webhooks(&self, page: PageRequest<WebhookId>)
    -> Result<Vec<Webhook>, StoreError>;

    /// Returns the number of webhooks.
    async fn count_all_webhooks(&self) -> Result<i64, StoreError>;

    /// Returns `true` if any webhook is enabled.
    async fn has_enabled_webhook(&self) -> Result<bool, StoreError>;

    /// Returns the cursor of a webhook in a market.
    async fn webhook_cursor(
        &self,
        webhook: WebhookId,
        market: MarketId,
    ) -> Result<Option<WebhookCursor>, StoreError>;
}

/// A message to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookMessage {
    /// Identifier of the message: a second message with the same id is a repetition.
    pub id: String,
    /// Time of sending.
    pub sent_at: Timestamp,
    /// Body: JSON.
    pub body: Vec<u8>,
}

/// Builds the bodies of messages: JSON of the form `{"type", "timestamp", "data"}`, with resources
/// as in the API. `None` is a program error.
pub trait WebhookBodies: Send + Sync {
    /// Returns the body for a bet or sale.
    fn trade(&self, bet: &Bet) -> Option<Vec<u8>>;

    /// Returns the body for a new status of a market, which it has at a time.
    fn status(&self, market: &MarketDetails, now: Timestamp) -> Option<Vec<u8>>;

    /// Returns the body of a test message.
    fn test(&self, webhook: WebhookId, now: Timestamp) -> Option<Vec<u8>>;
}

/// Reason why a message was not delivered.
#[derive(Debug, Error)]
pub enum WebhookSendError {
    /// The address, or the IP address that its name currently resolves to, is not allowed.
    #[error("nothing may be sent there: {0}")]
    Forbidden(&'static str),
    /// The receiver responded 410: it is gone for good.
    #[error("the receiver answered 410 Gone")]
    Gone,
    /// The receiver rejected the message.
    #[error("the receiver answered {status}")]
    Refused {
        /// HTTP status of the response.
        status: u16,
        /// Time to wait before the next attempt, if the response contains it.
        retry_after: Option<Duration>,
    },
    /// No response.
    #[error("no answer: {0}")]
    Unreachable(String),
}

/// Sends messages.
#[async_trait]
pub trait WebhookSender: Send + Sync {
    /// Checks that a webhook may have this URL, as far as the URL alone can tell.
    ///
    /// # Errors
    /// [`WebhookSendError::Forbidden`].
    fn check(&self, url: &WebhookUrl) -> Result<(), WebhookSendError>;

    /// Sends a message, signed with each of these keys, and waits for the response. The IP address
    /// is checked again while connecting, since the name may resolve to another address by then.
    ///
    /// # Errors
    /// [`WebhookSendError`]; only [`WebhookSendError::Unreachable`] leaves open whether the
    /// receiver got the message.
    async fn send(
        &self,
        url: &WebhookUrl,
        secrets: &[WebhookSecret],
        message: &WebhookMessage,
    ) -> Result<(), WebhookSendError>;
}
