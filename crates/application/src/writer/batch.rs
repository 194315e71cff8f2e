//! One batch as one unit of work: lock, look up, apply one after another, write set by set.

use std::sync::Arc;

use foretell_domain::time::Timestamp;
use foretell_ports::error::StoreError;
use foretell_ports::system::{Clock, IdSource};
use foretell_ports::unit::Tx;
use foretell_ports::user::CredentialLock;

use super::outcome::{Outcome, Receipt};
use super::outcomes::Outcomes;
use super::rows::Rows;
use super::{CommandEnvelope, apply};
use crate::authorization::Actors;
use crate::error::AppError;

/// What a batch needs beside storage.
pub(super) struct BatchContext<'a> {
    /// The time at which everything in it happens.
    pub(super) now: Timestamp,
    /// Makes the ids of what it creates.
    pub(super) ids: &'a dyn IdSource,
    /// Whether users get letters.
    pub(super) has_letters: bool,
    /// Whether texts are found by their meaning.
    pub(super) has_meanings: bool,
    /// Whether there may be webhooks to tell.
    pub(super) has_webhooks: bool,
}

/// The answer to one command of a batch: done or refused, now or before, or a key or credential that cannot be
/// honoured.
pub(super) type Answer = Result<Receipt<Outcome>, AppError>;

/// Runs a batch. The credentials of privileged commands are locked first, since whoever changes a user locks the
/// user before accounts. Keys are looked up after the rows are locked: a unit that did the same command before has
/// ended by then. The time is taken after the locks too, so the transfers of an account happen in the order of
/// their times, and who has held the lock on an account knows that no earlier one will come.
pub(super) fn run<'a>(
    tx: &mut dyn Tx,
    clock: &dyn Clock,
    context_at: impl Fn(Timestamp) -> BatchContext<'a>,
    envelopes: &[Arc<CommandEnvelope>],
) -> Result<Vec<Answer>, StoreError> {
    let mut actors = Actors::default();
    let privileged = envelopes.iter().filter(|envelope| envelope.command.is_privileged());
    actors.read(tx, privileged.map(|envelope| envelope.principal), CredentialLock::Shared)?;
    let mut rows = Rows::lock(tx, envelopes)?;
    // Read late: whoever was suspended while the batch waited for its locks moves nothing.
    actors.read(tx, envelopes.iter().map(|envelope| envelope.principal), CredentialLock::None)?;
    let context = &context_at(clock.now());
    let mut outcomes = Outcomes::find(tx, envelopes)?;
    let mut answers = Vec::with_capacity(envelopes.len());
    for envelope in envelopes {
        let actor = match actors.get(envelope.principal, context.now) {
            Ok(actor) => actor,
            Err(refusal) => {
                answers.push(Err(refusal));
                continue;
            }
        };
        let name = envelope.name.as_ref();
        if let Some(answer) = name.and_then(|name| outcomes.replay(name, &answers)) {
            answers.push(answer);
            continue;
        }
        let result = apply::apply(tx, context, actor, &envelope.command, &mut rows)?;
        if let Some(name) = name {
            outcomes.record(name, &result, answers.len(), context.now)?;
        }
        answers.push(Ok(Receipt { result, is_replay: false }));
    }
    rows.write(tx, context)?;
    outcomes.write(tx)?;
    Ok(answers)
}
