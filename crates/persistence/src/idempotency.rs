//! The table `idempotency_keys`.

pub(crate) mod rows;

use std::collections::BTreeSet;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use foretell_domain::time::Timestamp;
use foretell_ports::error::StoreError;
use foretell_ports::idempotency::{CommandKey, IdempotencyQueries, IdempotencyTx, StoredOutcome};

use crate::connection::{Connection, on};
use crate::dialect::{bulk_ledger, look_up};
use crate::error::Failure;
use crate::idempotency::rows::NewOutcomeRow;
use crate::prepared::prepared;
use crate::store::Store;
use crate::tx::UnitTx;

/// Deletes the oldest outcomes stored before a time, at most so many.
const PURGE: &str = "DELETE FROM idempotency_keys WHERE (user_id, key) IN (
    SELECT user_id, key FROM idempotency_keys WHERE created_at_us < ?
    ORDER BY created_at_us LIMIT ?)";

/// Returns the outcomes stored under any of `keys`.
pub(crate) fn find(
    connection: &mut Connection<'_>,
    keys: &[CommandKey],
) -> Result<Vec<StoredOutcome>, Failure> {
    let distinct: BTreeSet<_> = keys.iter().collect();
    let rows = look_up::outcomes(connection, &distinct)?;
    rows.into_iter().map(StoredOutcome::try_from).collect()
}

/// Inserts outcomes.
pub(crate) fn insert(
    connection: &mut Connection<'_>,
    outcomes: &[StoredOutcome],
) -> Result<(), Failure> {
    let rows: Vec<_> = outcomes.iter().map(NewOutcomeRow::from).collect();
    bulk_ledger::insert_outcomes(connection, &rows)?;
    Ok(())
}

/// Deletes at most `limit` outcomes stored before `before` and returns their number.
pub(crate) fn purge(
    connection: &mut Connection<'_>,
    before: Timestamp,
    limit: u32,
) -> Result<u64, Failure> {
    let purge =
        prepared(PURGE).bind::<BigInt, _>(before.micros()).bind::<BigInt, _>(i64::from(limit));
    let deleted = on!(connection, |c| purge.execute(c))?;
    Ok(u64::try_from(deleted).unwrap_or(u64::MAX))
}

impl IdempotencyTx for UnitTx<'_, '_> {
    fn find_outcomes(&mut self, keys: &[CommandKey]) -> Result<Vec<StoredOutcome>, StoreError> {
        self.step(|c| find(c, keys))
    }

    fn insert_outcomes(&mut self, outcomes: &[StoredOutcome]) -> Result<(), StoreError> {
        self.step(|c| insert(c, outcomes))
    }

    fn purge_outcomes(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.step(|c| purge(c, before, limit))
    }
}

#[async_trait]
impl IdempotencyQueries for Store {
    async fn find_outcome(&self, key: &CommandKey) -> Result<Option<StoredOutcome>, StoreError> {
        let keys = [key.clone()];
        let mut found = self.read("find_outcome", move |c| find(c, &keys)).await?;
        Ok(found.pop())
    }
}
