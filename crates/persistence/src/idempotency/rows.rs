//! Rows of the table `idempotency_keys`.

use diesel::prelude::*;
use foretell_ports::idempotency::{CommandKey, StoredOutcome};

use crate::error::{Failure, StoredRow};
use crate::id::DbId;
use crate::schema::idempotency_keys;

#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = idempotency_keys)]
pub(crate) struct OutcomeRow {
    user_id: DbId,
    pub(crate) key: String,
    request_hash: Vec<u8>,
    outcome: String,
    created_at_us: i64,
}

impl TryFrom<OutcomeRow> for StoredOutcome {
    type Error = Failure;

    fn try_from(row: OutcomeRow) -> Result<Self, Failure> {
        let stored =
            StoredRow { table: "idempotency_keys", id: format!("{}, {}", row.user_id, row.key) };
        let request_hash =
            stored.convert("request_hash", row.request_hash.as_slice().try_into())?;
        Ok(Self {
            key: CommandKey { user_id: row.user_id.into(), key: row.key },
            request_hash,
            outcome: row.outcome,
            created_at: stored.time("created_at_us", row.created_at_us)?,
        })
    }
}

/// Inserted columns of an outcome.
#[derive(Insertable, Clone, Copy)]
#[diesel(table_name = idempotency_keys, treat_none_as_default_value = false)]
pub(crate) struct NewOutcomeRow<'a> {
    pub(crate) user_id: DbId,
    pub(crate) key: &'a str,
    pub(crate) request_hash: &'a [u8],
    pub(crate) outcome: &'a str,
    pub(crate) created_at_us: i64,
}

impl<'a> From<&'a StoredOutcome> for NewOutcomeRow<'a> {
    fn from(outcome: &'a StoredOutcome) -> Self {
        Self {
            user_id: outcome.key.user_id.into(),
            key: &outcome.key.key,
            request_hash: &outcome.request_hash,
            outcome: &outcome.outcome,
            created_at_us: outcome.created_at.micros(),
        }
    }
}
