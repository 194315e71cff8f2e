//! One batch as one unit of work: lock, look up, apply one after another, write set by set.

use std::collections::HashMap;
use std::sync::Arc;

use foretell_domain::error::DomainError;
use foretell_domain::time::Timestamp;
use foretell_ports::error::StoreError;
use foretell_ports::idempotency::{CommandKey, StoredOutcome};
use foretell_ports::system::IdSource;
use foretell_ports::unit::Tx;

use super::outcome::{Outcome, Receipt};
use super::rows::Rows;
use super::{CommandName, Envelope, apply};
use crate::error::AppError;

/// What a batch needs beside storage.
pub(super) struct BatchContext<'a> {
    /// The time at which everything in it happens.
    pub(super) now: Timestamp,
    /// Makes the ids of what it creates.
    pub(super) ids: &'a dyn IdSource,
}

/// The answer to one command of a batch: done or refused, now or before, or a key that cannot be honoured.
pub(super) type Answer = Result<Receipt<Outcome>, AppError>;

/// The outcomes by key: those stored before, and those of this batch.
struct Outcomes {
    known: HashMap<CommandKey, StoredOutcome>,
    new: Vec<CommandKey>,
}

/// Runs a batch. Keys are looked up after the rows are locked: a unit that did the same command before has
/// ended by then.
pub(super) fn run(
    tx: &mut dyn Tx,
    context: &BatchContext<'_>,
    envelopes: &[Arc<Envelope>],
) -> Result<Vec<Answer>, StoreError> {
    let mut rows = Rows::lock(tx, envelopes)?;
    let mut outcomes = Outcomes::find(tx, envelopes)?;
    let mut answers = Vec::with_capacity(envelopes.len());
    for envelope in envelopes {
        answers.push(answer(tx, context, envelope, &mut rows, &mut outcomes)?);
    }
    rows.write(tx, context.now)?;
    outcomes.write(tx)?;
    Ok(answers)
}

fn answer(
    tx: &mut dyn Tx,
    context: &BatchContext<'_>,
    envelope: &Envelope,
    rows: &mut Rows,
    outcomes: &mut Outcomes,
) -> Result<Answer, StoreError> {
    if let Some(answer) = envelope.name.as_ref().and_then(|name| outcomes.replay(name)) {
        return Ok(answer);
    }
    let result = apply::apply(tx, context, envelope, rows)?;
    if let Some(name) = &envelope.name {
        outcomes.record(name, &result, context.now)?;
    }
    Ok(Ok(Receipt { result, is_replay: false }))
}

impl Outcomes {
    fn find(tx: &mut dyn Tx, envelopes: &[Arc<Envelope>]) -> Result<Self, StoreError> {
        let names = envelopes.iter().filter_map(|envelope| envelope.name.as_ref());
        let keys: Vec<_> = names.map(|name| name.key.clone()).collect();
        let stored = if keys.is_empty() { Vec::new() } else { tx.find_outcomes(&keys)? };
        let known = stored.into_iter().map(|outcome| (outcome.key.clone(), outcome)).collect();
        Ok(Self { known, new: Vec::new() })
    }

    fn replay(&self, name: &CommandName) -> Option<Answer> {
        let stored = self.known.get(&name.key)?;
        if stored.request_hash != name.request_hash {
            return Some(Err(AppError::KeyReused));
        }
        let decoded: Result<Result<Outcome, DomainError>, _> = serde_json::from_str(&stored.outcome);
        Some(match decoded {
            Ok(result) => Ok(Receipt { result, is_replay: true }),
            Err(error) => {
                tracing::error!(%error, "a stored outcome does not decode");
                Err(AppError::Internal("a stored outcome does not decode"))
            }
        })
    }

    fn record(
        &mut self,
        name: &CommandName,
        result: &Result<Outcome, DomainError>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let outcome = serde_json::to_string(result).map_err(|error| StoreError::Rejected(error.into()))?;
        let (key, request_hash) = (name.key.clone(), name.request_hash);
        self.new.push(key.clone());
        self.known.insert(key.clone(), StoredOutcome { key, request_hash, outcome, created_at: now });
        Ok(())
    }

    fn write(mut self, tx: &mut dyn Tx) -> Result<(), StoreError> {
        let new: Vec<_> = self.new.iter().filter_map(|key| self.known.remove(key)).collect();
        if new.is_empty() { Ok(()) } else { tx.insert_outcomes(&new) }
    }
}
