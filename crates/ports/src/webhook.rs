//! Webhooks: writing and reading them, how far each has been told of each market, and sending messages.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use foretell_domain::id::{MarketId, WebhookId};
use foretell_domain::market::{Bet, Market, Phase};
use foretell_domain::time::Timestamp;
use foretell_domain::webhook::{WebhookEvents, WebhookStatus, WebhookUrl};
use thiserror::Error;

use crate::error::StoreError;
use crate::market::MarketDetails;
use crate::page::Stretch;
use crate::unit::Locked;

/// What messages are signed with: 256 bits of chance that only the receiver knows beside us.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WebhookSecret(pub [u8; 32]);

/// Never shows the secret.
impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}

/// A webhook: who is told of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Names it.
    pub id: WebhookId,
    /// Where messages are sent.
    pub url: WebhookUrl,
    /// What it is told; at least one thing.
    pub events: WebhookEvents,
    /// Whether it is told anything.
    pub status: WebhookStatus,
    /// What messages are signed with.
    pub secret: WebhookSecret,
    /// The secret before that, and until when messages are signed with it too.
    pub replaced: Option<(WebhookSecret, Timestamp)>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when no message has arrived, and why the last one did not; nothing while messages arrive.
    pub failing: Option<(Timestamp, String)>,
}

/// How far a webhook has been told of a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookPlace {
    /// The number of the last bet or sale that it knows, 0 for none.
    pub sequence: i64,
    /// The last status that it knows; nothing before the market has opened.
    pub phase: Option<Phase>,
}

/// What a unit of work changes of a market, for webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookNews {
    /// The market.
    pub market_id: MarketId,
    /// Where it stood before.
    pub before: WebhookPlace,
    /// What happens in it; at least one thing.
    pub events: WebhookEvents,
}

/// Writes webhooks within a unit of work.
///
/// A *place* says from where on a webhook is still to be told of a market. There is one exactly as long as there is
/// something to tell; it is protected by the lock on its market.
pub trait WebhookTx {
    /// Counts the webhooks. Until this unit ends no other one inserts a webhook or counts them here.
    fn lock_and_count_webhooks(&mut self) -> Result<u32, StoreError>;

    /// Inserts a webhook.
    fn insert_webhook(&mut self, webhook: &Webhook) -> Result<(), StoreError>;

    /// Locks a webhook.
    fn lock_webhook(&mut self, id: WebhookId) -> Result<Option<Locked<Webhook>>, StoreError>;

    /// Stores a locked webhook.
    fn save_webhook(&mut self, webhook: &Locked<Webhook>) -> Result<(), StoreError>;

    /// Deletes a webhook with its places, and says whether it was there.
    fn delete_webhook(&mut self, id: WebhookId) -> Result<bool, StoreError>;

    /// Makes places where there are none yet: for each enabled webhook and each of these markets of which something
    /// happens that the webhook is told. Returns those made, in any order. Each market is locked or new, and named
    /// once.
    fn add_webhook_places(&mut self, news: &[WebhookNews]) -> Result<Vec<(WebhookId, MarketId)>, StoreError>;

    /// The place of a webhook in a locked market.
    fn find_webhook_place(
        &mut self,
        webhook: WebhookId,
        market: &Locked<Market>,
    ) -> Result<Option<WebhookPlace>, StoreError>;

    /// Moves the place of a webhook in a market, if it has one: only who tells the webhook of this market does so.
    fn move_webhook_place(
        &mut self,
        webhook: WebhookId,
        market: MarketId,
        place: WebhookPlace,
    ) -> Result<(), StoreError>;

    /// Deletes the place of a webhook in a market, if it has one. Unless the market is locked or gone, something may
    /// have happened that the webhook is then not told.
    fn delete_webhook_place(&mut self, webhook: WebhookId, market: MarketId) -> Result<(), StoreError>;

    /// Deletes all places of a locked webhook.
    fn delete_webhook_places(&mut self, webhook: &Locked<Webhook>) -> Result<(), StoreError>;
}

/// Reads webhooks.
#[async_trait]
pub trait WebhookQueries: Send + Sync {
    /// The webhook of this id.
    async fn find_webhook(&self, id: WebhookId) -> Result<Option<Webhook>, StoreError>;

    /// A stretch of all webhooks, newest first.
    async fn list_webhooks(&self, stretch: Stretch<WebhookId>) -> Result<Vec<Webhook>, StoreError>;

    /// How many webhooks there are.
    async fn count_all_webhooks(&self) -> Result<i64, StoreError>;

    /// Whether any webhook is enabled.
    async fn has_enabled_webhook(&self) -> Result<bool, StoreError>;

    /// The place of a webhook in a market.
    async fn webhook_place(
        &self,
        webhook: WebhookId,
        market: MarketId,
    ) -> Result<Option<WebhookPlace>, StoreError>;
}

/// A message to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookMessage {
    /// Names what it tells: whoever gets two messages of one id was told the same twice.
    pub id: String,
    /// When it is sent.
    pub sent_at: Timestamp,
    /// The JSON to send.
    pub body: Vec<u8>,
}

/// Writes the bodies of messages: JSON of the form `{"type", "timestamp", "data"}`, in which things are as the API shows
/// them. `None` is a fault of the program.
pub trait WebhookBodies: Send + Sync {
    /// That something was bought or sold.
    fn trade(&self, bet: &Bet) -> Option<Vec<u8>>;

    /// That a market has another status, which it has at a time.
    fn status(&self, market: &MarketDetails, now: Timestamp) -> Option<Vec<u8>>;

    /// Nothing but that messages arrive.
    fn test(&self, webhook: WebhookId, now: Timestamp) -> Option<Vec<u8>>;
}

/// Why a message did not arrive.
#[derive(Debug, Error)]
pub enum WebhookSendError {
    /// Nothing may be sent to this address, or to the one that its name stands for just now.
    #[error("nothing may be sent there: {0}")]
    Forbidden(&'static str),
    /// The receiver says that it is gone for good.
    #[error("the receiver answered 410 Gone")]
    Gone,
    /// The receiver did not take it.
    #[error("the receiver answered {status}")]
    Refused {
        /// Its HTTP status.
        status: u16,
        /// How long it wants to be left alone, if it says so.
        retry_after: Option<Duration>,
    },
    /// There was no answer.
    #[error("no answer: {0}")]
    Unreachable(String),
}

/// Sends messages.
#[async_trait]
pub trait WebhookSender: Send + Sync {
    /// Whether a webhook may have this address, as far as the address alone tells.
    ///
    /// # Errors
    /// [`WebhookSendError::Forbidden`].
    fn check(&self, url: &WebhookUrl) -> Result<(), WebhookSendError>;

    /// Sends a message, signed with each of these secrets, and waits a while for the receiver to take it. Where it
    /// goes is checked again as it connects, since a name may stand for another address by then.
    ///
    /// # Errors
    /// [`WebhookSendError`]; only [`WebhookSendError::Unreachable`] leaves open whether the receiver has got it.
    async fn send(
        &self,
        url: &WebhookUrl,
        secrets: &[WebhookSecret],
        message: &WebhookMessage,
    ) -> Result<(), WebhookSendError>;
}
