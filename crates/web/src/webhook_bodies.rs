//! Bodies of webhook messages: resources in the form of the API, in the envelope of Standard
//! Webhooks.

use foretell_domain::id::WebhookId;
use foretell_domain::market::Bet;
use foretell_domain::money::Currency;
use foretell_domain::time::Timestamp;
use foretell_domain::webhook::WebhookEvent;
use foretell_ports::market::MarketDetails;
use foretell_ports::webhook::WebhookBodies;
use serde::Serialize;

use crate::dto::market::MarketView;
use crate::dto::market::bet::BetView;
use crate::dto::text::Text;
use crate::dto::time::Time;

/// Builds bodies as JSON.
pub struct JsonBodies {
    currency: Currency,
}

impl JsonBodies {
    /// Creates a builder for money of this currency.
    pub const fn new(currency: Currency) -> Self {
        Self { currency }
    }
}

/// Fields of all bodies.
#[derive(Serialize)]
struct Body<T> {
    r#type: &'static str,
    timestamp: Time,
    data: T,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TestData {
    webhook_id: Text<WebhookId>,
}

impl WebhookBodies for JsonBodies {
    fn trade(&self, bet: &Bet) -> Option<Vec<u8>> {
        let data = BetView::public(bet, &self.currency);
        body(WebhookEvent::Trade.as_str(), bet.created_at, data)
    }

    fn status(&self, market: &MarketDetails, now: Timestamp) -> Option<Vec<u8>> {
        let data = MarketView::at(now, market, &self.currency);
        body(WebhookEvent::Status.as_str(), market.updated_at, data)
    }

    fn test(&self, webhook: WebhookId, now: Timestamp) -> Option<Vec<u8>> {
        body("webhook.test", now, TestData { webhook_id: Text(webhook) })
    }
}

fn body(r#type: &'static str, at: Timestamp, data: impl Serialize) -> Option<Vec<u8>> {
    serde_json::to_vec(&Body { r#type, timestamp: Time(at), data }).ok()
}
