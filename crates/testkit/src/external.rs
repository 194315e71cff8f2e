//! External services for tests: a mailer and webhook receivers that record what they get.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use foretell_domain::id::WebhookId;
use foretell_domain::market::Bet;
use foretell_domain::time::Timestamp;
use foretell_domain::webhook::WebhookUrl;
use foretell_ports::mail::{MailError, Mailer, OutgoingEmail};
use foretell_ports::market::MarketDetails;
use foretell_ports::webhook::{
    WebhookBodies, WebhookMessage, WebhookSecret, WebhookSendError, WebhookSender,
};

/// A mailer that records emails, and rejects them on request; all clones share one state.
#[derive(Debug, Clone, Default)]
pub struct MemoryMailer(Arc<Mutex<Mailbox>>);

#[derive(Debug, Default)]
struct Mailbox {
    emails: Vec<OutgoingEmail>,
    refusals: u32,
}

impl MemoryMailer {
    /// Returns the sent emails, in order.
    pub fn emails(&self) -> Vec<OutgoingEmail> {
        self.mailbox(|mailbox| mailbox.emails.clone())
    }

    /// Rejects so many of the next emails.
    pub fn refuse(&self, emails: u32) {
        self.mailbox(|mailbox| mailbox.refusals = emails);
    }

    fn mailbox<T>(&self, work: impl FnOnce(&mut Mailbox) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Mailer for MemoryMailer {
    async fn send(&self, email: &OutgoingEmail) -> Result<(), MailError> {
        self.mailbox(|mailbox| {
            if mailbox.refusals > 0 {
                mailbox.refusals -= 1;
                return Err(MailError::Unsent("the mail server is away".to_owned()));
            }
            mailbox.emails.push(email.clone());
            Ok(())
        })
    }
}

/// Receivers of webhooks, at any URL, that record messages; all clones share one state.
#[derive(Debug, Clone, Default)]
pub struct MemoryWebhooks(Arc<Mutex<Receivers>>);

#[derive(Debug, Default)]
struct Receivers {
    sent: Vec<SentMessage>,
    answers: VecDeque<u16>,
    retry_after: Option<Duration>,
}

/// A sent message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    /// URL.
    pub url: WebhookUrl,
    /// Signing keys.
    pub secrets: Vec<WebhookSecret>,
    /// Message.
    pub message: WebhookMessage,
}

impl MemoryWebhooks {
    /// Returns the delivered messages, in order.
    pub fn sent(&self) -> Vec<SentMessage> {
        self.with(|receivers| receivers.sent.clone())
    }

    /// Responds to the next messages with these statuses, and to all others with 204.
    pub fn answer(&self, statuses: impl IntoIterator<Item = u16>) {
        self.with(|receivers| receivers.answers.extend(statuses));
    }

    /// Adds this `Retry-After` to error responses from now on.
    pub fn retry_after(&self, wait: Option<Duration>) {
        self.with(|receivers| receivers.retry_after = wait);
    }

    fn with<T>(&self, work: impl FnOnce(&mut Receivers) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl WebhookSender for MemoryWebhooks {
    fn check(&self, url: &WebhookUrl) -> Result<(), WebhookSendError> {
        if url.is_encrypted() {
            Ok(())
        } else {
            Err(WebhookSendError::Forbidden("it is not encrypted"))
        }
    }

    async fn send(
        &self,
        url: &WebhookUrl,
        secrets: &[WebhookSecret],
        message: &WebhookMessage,
    ) -> Result<(), WebhookSendError> {
        self.with(|receivers| match receivers.answers.pop_front() {
            Some(410) => Err(WebhookSendError::Gone),
            Some(status) if !(200..300).contains(&status) => {
                Err(WebhookSendError::Refused { status, retry_after: receivers.retry_after })
            }
            _ => {
                let (url, secrets) = (url.clone(), secrets.to_vec());
                receivers.sent.push(SentMessage { url, secrets, message: message.clone() });
                Ok(())
            }
        })
    }
}

/// Bodies of one word and a number, not JSON.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainBodies;

impl WebhookBodies for PlainBodies {
    fn trade(&self, bet: &Bet) -> Option<Vec<u8>> {
        Some(format!("trade {}", bet.fill.sequence).into_bytes())
    }

    fn status(&self, market: &MarketDetails, _: Timestamp) -> Option<Vec<u8>> {
        Some(format!("status {}", market.market.record().phase.as_str()).into_bytes())
    }

    fn test(&self, _: WebhookId, _: Timestamp) -> Option<Vec<u8>> {
        Some(b"test".to_vec())
    }
}
