//! One batch as one unit of work: lock rows, read, apply the commands one after another, write in
//! bulk.

use std::sync::Arc;

use foretell_domain::market::MarketRules;
use foretell_domain::time::Timestamp;
use foretell_ports::error::StoreError;
use foretell_ports::system::{Clock, IdSource};
use foretell_ports::unit::Tx;
use foretell_ports::user::CredentialLock;

use super::batch_state::BatchState;
use super::outcome::{Outcome, Receipt};
use super::outcomes::Outcomes;
use super::{CommandEnvelope, apply};
use crate::error::AppError;
use crate::principal::Actors;
use crate::projector::Projection;

/// Context of a batch besides storage.
pub(super) struct BatchContext<'a> {
    /// Time of everything in the batch.
    pub(super) now: Timestamp,
    /// Source of the ids of new rows.
    pub(super) ids: &'a dyn IdSource,
    /// Writes what follows from the events of the batch.
    pub(super) projection: &'a Projection,
    /// Rules of all markets.
    pub(super) rules: MarketRules,
}

/// Result of one command in a batch: its receipt, new or replayed, or an error of its key or
/// credential.
pub(super) type CommandResponse = Result<Receipt<Outcome>, AppError>;

/// Runs a batch. The credentials of privileged commands are locked first, since a change of a user
/// locks the user before accounts. Keys are read after the rows are locked: a unit that executed
/// the same command before has ended by then. The clock is read after the locks too, so that the
/// transfers of an account have ascending times, and a reader that has held the lock on an account
/// knows that no earlier transfer will follow.
pub(super) fn run<'a>(
    tx: &mut dyn Tx,
    clock: &dyn Clock,
    context_at: impl Fn(Timestamp) -> BatchContext<'a>,
    envelopes: &[Arc<CommandEnvelope>],
) -> Result<Vec<CommandResponse>, StoreError> {
    let mut actors = Actors::default();
    let privileged = envelopes.iter().filter(|envelope| envelope.command.is_privileged());
    actors.read(tx, privileged.map(|envelope| envelope.principal), CredentialLock::Shared)?;
    let mut state = BatchState::lock(tx, envelopes)?;
    // Read late, after the locks: a user who was suspended while the batch waited must not move
    // money.
    actors.read(tx, envelopes.iter().map(|envelope| envelope.principal), CredentialLock::None)?;
    let context = &context_at(clock.now());
    let mut outcomes = Outcomes::find(tx, envelopes)?;
    let mut responses = Vec::with_capacity(envelopes.len());
    for envelope in envelopes {
        let actor = match actors.get(envelope.principal, context.now) {
            Ok(actor) => actor,
            Err(refusal) => {
                // An authorization error is not stored under the key: it says nothing about the
                // command (ADR 0031).
                responses.push(Err(refusal));
                continue;
            }
        };
        let name = envelope.name.as_ref();
        // A key may repeat within this batch as well, so the answers so far are searched too.
        if let Some(response) = name.and_then(|name| outcomes.replay(name, &responses)) {
            responses.push(response);
            continue;
        }
        let result = match apply::apply(tx, context, actor, &envelope.command, &mut state) {
            Ok(outcome) => Ok(outcome),
            Err(AppError::Refused(refusal)) => Err(refusal),
            Err(AppError::Store(error)) => return Err(error),
            Err(other) => {
                responses.push(Err(other));
                continue;
            }
        };
        if let Some(name) = name {
            outcomes.record(name, &result, responses.len(), context.now)?;
        }
        responses.push(Ok(Receipt { result, is_replay: false }));
    }
    // All writes come last and in bulk: a few statements for the whole batch instead of a few per
    // command.
    state.write(tx, context)?;
    outcomes.write(tx)?;
    Ok(responses)
}
