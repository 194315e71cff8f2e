//! Webhooks: the ports, and their statements in the modules below.

pub(crate) mod webhook_rows;
pub(crate) mod webhooks;

use async_trait::async_trait;
use foretell_domain::id::{MarketId, WebhookId};
use foretell_domain::market::Market;
use foretell_ports::error::StoreError;
use foretell_ports::page::PageRequest;
use foretell_ports::unit::Locked;
use foretell_ports::webhook::{MarketChange, Webhook, WebhookCursor, WebhookQueries, WebhookTx};

use crate::store::Store;
use crate::tx::UnitTx;

impl WebhookTx for UnitTx<'_, '_> {
    fn lock_and_count_webhooks(&mut self) -> Result<u32, StoreError> {
        self.step(|c| Ok(u32::try_from(webhooks::lock_and_count(c)?).unwrap_or(u32::MAX)))
    }

    fn insert_webhook(&mut self, webhook: &Webhook) -> Result<(), StoreError> {
        self.step(|c| webhooks::insert(c, webhook))
    }

    fn lock_webhook(&mut self, id: WebhookId) -> Result<Option<Locked<Webhook>>, StoreError> {
        self.step(|c| Ok(webhooks::lock(c, id)?.map(Locked::assume)))
    }

    fn save_webhook(&mut self, webhook: &Locked<Webhook>) -> Result<(), StoreError> {
        self.step(|c| webhooks::save(c, webhook))
    }

    fn delete_webhook(&mut self, id: WebhookId) -> Result<bool, StoreError> {
        self.step(|c| webhooks::delete(c, id))
    }

    fn add_webhook_cursors(
        &mut self,
        changes: &[MarketChange],
    ) -> Result<Vec<(WebhookId, MarketId)>, StoreError> {
        self.step(|c| webhooks::add_cursors(c, changes))
    }

    fn find_webhook_cursor(
        &mut self,
        webhook: WebhookId,
        market: &Locked<Market>,
    ) -> Result<Option<WebhookCursor>, StoreError> {
        self.step(|c| webhooks::find_cursor(c, webhook, market.id()))
    }

    fn move_webhook_cursor(
        &mut self,
        webhook: WebhookId,
        market: MarketId,
        cursor: WebhookCursor,
    ) -> Result<(), StoreError> {
        self.step(|c| webhooks::move_cursor(c, webhook, market, cursor))
    }

    fn delete_webhook_cursor(
        &mut self,
        webhook: WebhookId,
        market: MarketId,
    ) -> Result<(), StoreError> {
        self.step(|c| webhooks::delete_cursor(c, webhook, market))
    }

    fn delete_webhook_cursors(&mut self, webhook: &Locked<Webhook>) -> Result<(), StoreError> {
        self.step(|c| webhooks::delete_cursors(c, webhook.id))
    }
}

#[async_trait]
impl WebhookQueries for Store {
    async fn find_webhook(&self, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        self.read("find_webhook", move |c| webhooks::find(c, id)).await
    }

    async fn list_webhooks(
        &self,
        page: PageRequest<WebhookId>,
    ) -> Result<Vec<Webhook>, StoreError> {
        self.read("list_webhooks", move |c| webhooks::list(c, page)).await
    }

    async fn count_all_webhooks(&self) -> Result<i64, StoreError> {
        self.read("count_webhooks", webhooks::count).await
    }

    async fn has_enabled_webhook(&self) -> Result<bool, StoreError> {
        self.read("has_enabled_webhook", webhooks::has_enabled).await
    }

    async fn webhook_cursor(
        &self,
        webhook: WebhookId,
        market: MarketId,
    ) -> Result<Option<WebhookCursor>, StoreError> {
        self.read("webhook_cursor", move |c| webhooks::find_cursor(c, webhook, market)).await
    }
}
