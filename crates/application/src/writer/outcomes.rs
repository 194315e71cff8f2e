//! The outcomes of a batch by key: those that earlier batches stored, and those that this one adds.
//!
//! A transfer or trade is stored as its id: its row never changes and says the rest, so nothing is written
//! twice, and only a repetition has to look.

use std::collections::HashMap;
use std::sync::Arc;

use foretell_domain::error::DomainError;
use foretell_domain::id::{BetId, TransferId};
use foretell_domain::market::Bet;
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::Transfer;
use foretell_ports::error::StoreError;
use foretell_ports::idempotency::{CommandKey, StoredOutcome};
use foretell_ports::unit::Tx;
use serde::{Deserialize, Serialize};

use super::batch::Answer;
use super::outcome::{Outcome, Receipt, TradeReceipt};
use super::{CommandName, Envelope};
use crate::error::AppError;

/// What a command came to.
type CommandResult = Result<Outcome, DomainError>;

/// How a result is stored.
#[derive(Debug, Serialize, Deserialize)]
enum Record {
    /// An outcome as it is.
    Ok(Outcome),
    /// A refusal.
    Err(DomainError),
    /// The transfer of this id.
    Transfer(TransferId),
    /// The trade of this id, and its transfer.
    Trade(BetId),
}

/// What an earlier batch stored under a key.
struct Stored {
    request_hash: [u8; 32],
    /// `None` if what is stored makes no sense.
    result: Option<CommandResult>,
}

/// The outcomes by key.
pub(super) struct Outcomes {
    stored: HashMap<CommandKey, Stored>,
    /// Of this batch: the command's hash, and which answer it was given.
    given: HashMap<CommandKey, ([u8; 32], usize)>,
    new: Vec<StoredOutcome>,
}

impl Outcomes {
    /// Looks up what is stored under the keys of a batch.
    pub(super) fn find(tx: &mut dyn Tx, envelopes: &[Arc<Envelope>]) -> Result<Self, StoreError> {
        let names = envelopes.iter().filter_map(|envelope| envelope.name.as_ref());
        let keys: Vec<_> = names.map(|name| name.key.clone()).collect();
        let found = if keys.is_empty() { Vec::new() } else { tx.find_outcomes(&keys)? };
        let stored = if found.is_empty() { HashMap::new() } else { read(tx, found)? };
        let (given, new) = (HashMap::with_capacity(keys.len()), Vec::with_capacity(keys.len()));
        Ok(Self { stored, given, new })
    }

    /// The answer to a repeated command, if it is one; `answers` are those of the batch so far.
    pub(super) fn replay(&self, name: &CommandName, answers: &[Answer]) -> Option<Answer> {
        let (request_hash, result) = match self.given.get(&name.key) {
            Some((request_hash, index)) => (request_hash, result_at(answers, *index)),
            None => {
                self.stored.get(&name.key).map(|stored| (&stored.request_hash, stored.result.as_ref()))?
            }
        };
        if *request_hash != name.request_hash {
            return Some(Err(AppError::KeyReused));
        }
        let result = result.ok_or(AppError::Internal("a stored outcome makes no sense"));
        Some(result.map(|result| Receipt { result: result.clone(), is_replay: true }))
    }

    /// Keeps the result of a command for its repetitions; it is about to be answered as number `index`.
    pub(super) fn record(
        &mut self,
        name: &CommandName,
        result: &CommandResult,
        index: usize,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let outcome = write(result).map_err(|error| StoreError::Rejected(error.into()))?;
        let (key, request_hash) = (name.key.clone(), name.request_hash);
        self.given.insert(key.clone(), (request_hash, index));
        self.new.push(StoredOutcome { key, request_hash, outcome, created_at: now });
        Ok(())
    }

    /// Writes what this batch adds.
    pub(super) fn write(self, tx: &mut dyn Tx) -> Result<(), StoreError> {
        if self.new.is_empty() { Ok(()) } else { tx.insert_outcomes(&self.new) }
    }
}

fn result_at(answers: &[Answer], index: usize) -> Option<&CommandResult> {
    answers.get(index)?.as_ref().ok().map(|receipt| &receipt.result)
}

/// A [`Record`], written without a copy of the outcome: serde gives `Result` the same form.
fn write(result: &CommandResult) -> serde_json::Result<String> {
    match result {
        Ok(Outcome::Transferred(transfer)) => serde_json::to_string(&Record::Transfer(transfer.id)),
        Ok(Outcome::Traded(receipt)) => serde_json::to_string(&Record::Trade(receipt.bet.id)),
        whole => serde_json::to_string(whole),
    }
}

/// The stored outcomes with the rows that they name.
fn read(tx: &mut dyn Tx, found: Vec<StoredOutcome>) -> Result<HashMap<CommandKey, Stored>, StoreError> {
    let (mut transfer_ids, mut bet_ids) = (Vec::new(), Vec::new());
    let mut records = Vec::with_capacity(found.len());
    for StoredOutcome { key, request_hash, outcome, .. } in found {
        let record = serde_json::from_str::<Record>(&outcome);
        match &record {
            Ok(Record::Transfer(id)) => transfer_ids.push(*id),
            Ok(Record::Trade(id)) => bet_ids.push(*id),
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "a stored outcome does not decode"),
        }
        records.push((key, request_hash, record.ok()));
    }
    let rows = RecordedRows::find(tx, transfer_ids, &bet_ids)?;
    let stored = |(key, request_hash, record): (_, _, Option<Record>)| {
        (key, Stored { request_hash, result: record.and_then(|record| rows.result(record)) })
    };
    Ok(records.into_iter().map(stored).collect())
}

/// The rows that records name.
struct RecordedRows {
    transfers: HashMap<TransferId, Transfer>,
    bets: HashMap<BetId, Bet>,
}

impl RecordedRows {
    fn find(
        tx: &mut dyn Tx,
        mut transfer_ids: Vec<TransferId>,
        bet_ids: &[BetId],
    ) -> Result<Self, StoreError> {
        let bets = if bet_ids.is_empty() { Vec::new() } else { tx.find_bets(bet_ids)? };
        transfer_ids.extend(bets.iter().map(|bet| bet.transfer_id));
        let transfers = if transfer_ids.is_empty() { Vec::new() } else { tx.find_transfers(&transfer_ids)? };
        Ok(Self {
            transfers: transfers.into_iter().map(|transfer| (transfer.id, transfer)).collect(),
            bets: bets.into_iter().map(|bet| (bet.id, bet)).collect(),
        })
    }

    /// What a record stands for; `None` if it names a row that is not there.
    fn result(&self, record: Record) -> Option<CommandResult> {
        Some(match record {
            Record::Ok(outcome) => Ok(outcome),
            Record::Err(refusal) => Err(refusal),
            Record::Transfer(id) => Ok(Outcome::Transferred(self.transfers.get(&id)?.clone())),
            Record::Trade(id) => {
                let bet = self.bets.get(&id)?.clone();
                let transfer = self.transfers.get(&bet.transfer_id)?;
                Ok(Outcome::Traded(Box::new(TradeReceipt::new(bet, transfer))))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use foretell_domain::transfer::TransferError;

    use super::*;

    #[test]
    fn what_has_no_row_of_its_own_is_stored_as_it_is() {
        let paid = Ok(Outcome::SetPaid { complete: true });
        let refused = Err(DomainError::from(TransferError::BatchAborted));
        for result in [paid, refused] {
            let record = serde_json::from_str(&write(&result).unwrap()).unwrap();
            let rows = RecordedRows { transfers: HashMap::new(), bets: HashMap::new() };
            assert_eq!(rows.result(record), Some(result));
        }
    }
}
