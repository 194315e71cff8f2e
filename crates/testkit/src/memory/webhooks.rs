//! Webhooks in memory.

use async_trait::async_trait;
use foretell_domain::id::{MarketId, WebhookId};
use foretell_domain::market::Market;
use foretell_domain::webhook::{WebhookEvents, WebhookStatus};
use foretell_ports::error::StoreError;
use foretell_ports::page::PageRequest;
use foretell_ports::unit::Locked;
use foretell_ports::webhook::{MarketChange, Webhook, WebhookCursor, WebhookQueries, WebhookTx};

use super::tables::Tables;
use super::tx::MemoryTx;
use super::{MemoryStore, count, cut_page};

impl WebhookTx for MemoryTx<'_> {
    fn lock_and_count_webhooks(&mut self) -> Result<u32, StoreError> {
        self.step(|tables, _| {
            Ok(u32::try_from(tables.webhooks.range(..).count()).unwrap_or(u32::MAX))
        })
    }

    fn insert_webhook(&mut self, webhook: &Webhook) -> Result<(), StoreError> {
        self.step(|tables, _| tables.webhooks.insert(webhook.id, webhook.clone()))
    }

    fn lock_webhook(&mut self, id: WebhookId) -> Result<Option<Locked<Webhook>>, StoreError> {
        self.step(|tables, locked| {
            locked.webhooks.insert(id);
            Ok(tables.webhooks.get(&id).cloned().map(Locked::assume))
        })
    }

    fn save_webhook(&mut self, webhook: &Locked<Webhook>) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            locked.check_webhook(webhook.id)?;
            let created_at = tables.webhooks.require(&webhook.id)?.created_at;
            tables.webhooks.put(webhook.id, Webhook { created_at, ..(**webhook).clone() });
            Ok(())
        })
    }

    fn delete_webhook(&mut self, id: WebhookId) -> Result<bool, StoreError> {
        self.step(|tables, _| {
            let was_there = tables.webhooks.get(&id).is_some();
            tables.webhooks.remove(id);
            delete_cursors(tables, id);
            Ok(was_there)
        })
    }

    fn add_webhook_cursors(
        &mut self,
        changes: &[MarketChange],
    ) -> Result<Vec<(WebhookId, MarketId)>, StoreError> {
        self.step(|tables, locked| {
            let mut made = Vec::new();
            for change in changes {
                locked.check_market(change.market_id)?;
                for id in wanting(tables, change.events) {
                    let key = (id, change.market_id);
                    if tables.webhook_places.get(&key).is_none() {
                        tables.webhook_places.insert(key, change.before)?;
                        made.push(key);
                    }
                }
            }
            Ok(made)
        })
    }

    fn find_webhook_cursor(
        &mut self,
        webhook: WebhookId,
        market: &Locked<Market>,
    ) -> Result<Option<WebhookCursor>, StoreError> {
        self.step(|tables, locked| {
            locked.check_market(market.id())?;
            Ok(tables.webhook_places.get(&(webhook, market.id())).copied())
        })
    }

    fn move_webhook_cursor(
        &mut self,
        webhook: WebhookId,
        market: MarketId,
        cursor: WebhookCursor,
    ) -> Result<(), StoreError> {
        self.step(|tables, _| {
            if tables.webhook_places.get(&(webhook, market)).is_some() {
                tables.webhook_places.put((webhook, market), cursor);
            }
            Ok(())
        })
    }

    fn delete_webhook_cursor(
        &mut self,
        webhook: WebhookId,
        market: MarketId,
    ) -> Result<(), StoreError> {
        self.step(|tables, _| {
            tables.webhook_places.remove((webhook, market));
            Ok(())
        })
    }

    fn delete_webhook_cursors(&mut self, webhook: &Locked<Webhook>) -> Result<(), StoreError> {
        self.step(|tables, locked| {
            locked.check_webhook(webhook.id)?;
            delete_cursors(tables, webhook.id);
            Ok(())
        })
    }
}

/// Returns the enabled webhooks that receive one of these events, as the running unit sees them.
fn wanting(tables: &Tables, events: WebhookEvents) -> Vec<WebhookId> {
    let is_wanted = |webhook: &Webhook| events.iter().any(|event| webhook.events.contains(event));
    let rows = tables.webhooks.range(..).map(|(_, webhook)| webhook);
    rows.filter(|webhook| webhook.status == WebhookStatus::Enabled && is_wanted(webhook))
        .map(|webhook| webhook.id)
        .collect()
}

fn delete_cursors(tables: &mut Tables, webhook: WebhookId) {
    let cursors: Vec<_> = tables
        .webhook_places
        .range(..)
        .map(|(key, _)| *key)
        .filter(|(id, _)| *id == webhook)
        .collect();
    for cursor in cursors {
        tables.webhook_places.remove(cursor);
    }
}

#[async_trait]
impl WebhookQueries for MemoryStore {
    async fn find_webhook(&self, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        Ok(self.read()?.webhooks.committed().get(&id).cloned())
    }

    async fn list_webhooks(
        &self,
        page: PageRequest<WebhookId>,
    ) -> Result<Vec<Webhook>, StoreError> {
        let tables = self.read()?;
        let newest_first = tables.webhooks.committed().values().rev().cloned().collect();
        Ok(cut_page(newest_first, page, |webhook: &Webhook, last| webhook.id < last))
    }

    async fn count_all_webhooks(&self) -> Result<i64, StoreError> {
        Ok(count(self.read()?.webhooks.committed().len()))
    }

    async fn has_enabled_webhook(&self) -> Result<bool, StoreError> {
        let tables = self.read()?;
        Ok(tables
            .webhooks
            .committed()
            .values()
            .any(|webhook| webhook.status == WebhookStatus::Enabled))
    }

    async fn webhook_cursor(
        &self,
        webhook: WebhookId,
        market: MarketId,
    ) -> Result<Option<WebhookCursor>, StoreError> {
        Ok(self.read()?.webhook_places.committed().get(&(webhook, market)).copied())
    }
}
