//! Outcomes of money commands in memory.

use std::collections::BTreeSet;

use async_trait::async_trait;
use foretell_domain::time::Timestamp;
use foretell_ports::error::StoreError;
use foretell_ports::idempotency::{
    CommandKey, IdempotencyQueries, IdempotencyTx, MAX_KEY_BYTES, StoredOutcome,
};

use super::table::rejected;
use super::tx::MemoryTx;
use super::{MemoryStore, count};

impl IdempotencyTx for MemoryTx<'_> {
    fn find_outcomes(&mut self, keys: &[CommandKey]) -> Result<Vec<StoredOutcome>, StoreError> {
        let keys: BTreeSet<_> = keys.iter().collect();
        self.step(|tables, _| {
            Ok(keys.into_iter().filter_map(|key| tables.outcomes.get(key).cloned()).collect())
        })
    }

    fn insert_outcomes(&mut self, outcomes: &[StoredOutcome]) -> Result<(), StoreError> {
        self.step(|tables, _| {
            for outcome in outcomes {
                if !(1..=MAX_KEY_BYTES).contains(&outcome.key.key.len()) {
                    return Err(rejected("a key has 1 to 255 bytes"));
                }
                tables.outcomes.insert(outcome.key.clone(), outcome.clone())?;
            }
            Ok(())
        })
    }

    fn purge_outcomes(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.step(|tables, _| {
            let old = tables.outcomes.range(..).filter(|(_, outcome)| outcome.created_at < before);
            let old: Vec<_> = old.take(limit as usize).map(|(key, _)| key.clone()).collect();
            let purged = count(old.len()).unsigned_abs();
            for key in old {
                tables.outcomes.remove(key);
            }
            Ok(purged)
        })
    }
}

#[async_trait]
impl IdempotencyQueries for MemoryStore {
    async fn find_outcome(&self, key: &CommandKey) -> Result<Option<StoredOutcome>, StoreError> {
        Ok(self.read()?.outcomes.committed().get(key).cloned())
    }
}
