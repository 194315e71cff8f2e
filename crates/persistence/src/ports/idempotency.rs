//! Implementation of the ports for idempotency outcomes.

use async_trait::async_trait;
use foretell_domain::time::Timestamp;
use foretell_ports::error::StoreError;
use foretell_ports::idempotency::{CommandKey, IdempotencyQueries, IdempotencyTx, StoredOutcome};

use crate::idempotency;
use crate::store::Store;
use crate::tx::UnitTx;

impl IdempotencyTx for UnitTx<'_, '_> {
    fn find_outcomes(&mut self, keys: &[CommandKey]) -> Result<Vec<StoredOutcome>, StoreError> {
        self.step(|c| idempotency::find(c, keys))
    }

    fn insert_outcomes(&mut self, outcomes: &[StoredOutcome]) -> Result<(), StoreError> {
        self.step(|c| idempotency::insert(c, outcomes))
    }

    fn purge_outcomes(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.step(|c| idempotency::purge(c, before, limit))
    }
}

#[async_trait]
impl IdempotencyQueries for Store {
    async fn find_outcome(&self, key: &CommandKey) -> Result<Option<StoredOutcome>, StoreError> {
        let keys = [key.clone()];
        let mut found = self.read("find_outcome", move |c| idempotency::find(c, &keys)).await?;
        Ok(found.pop())
    }
}
