//! Outcomes of a batch by key: those stored by earlier batches, and those that this one adds.
//!
//! Data in rows that never change is stored by reference, so that nothing is written twice and only
//! a repetition has to read these rows.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use foretell_domain::error::DomainError;
use foretell_domain::id::{AccountId, BetId, TransferId};
use foretell_domain::market::Bet;
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::Transfer;
use foretell_ports::error::StoreError;
use foretell_ports::idempotency::{CommandKey, StoredOutcome};
use foretell_ports::unit::Tx;

use super::batch::CommandResponse;
use super::formats::{self, BatchRun, CommandResult, Stored};
use super::outcome::{Outcome, Receipt, TradeReceipt};
use super::{CommandEnvelope, CommandName};
use crate::error::AppError;

/// Outcome stored by an earlier batch.
struct StoredResult {
    request_hash: [u8; 32],
    /// `None` if it is not readable.
    result: Option<CommandResult>,
}

/// Outcomes by key.
pub(super) struct Outcomes {
    stored: HashMap<CommandKey, StoredResult>,
    /// Of this batch: the command's hash, and the index of its result.
    given: HashMap<CommandKey, ([u8; 32], usize)>,
    new: Vec<StoredOutcome>,
}

impl Outcomes {
    /// Reads the outcomes stored under the keys of a batch.
    pub(super) fn find(
        tx: &mut dyn Tx,
        envelopes: &[Arc<CommandEnvelope>],
    ) -> Result<Self, StoreError> {
        let names = envelopes.iter().filter_map(|envelope| envelope.name.as_ref());
        let keys: Vec<_> = names.map(|name| name.key.clone()).collect();
        let found = if keys.is_empty() { Vec::new() } else { tx.find_outcomes(&keys)? };
        let stored = if found.is_empty() { HashMap::new() } else { read(tx, found)? };
        let (given, new) = (HashMap::with_capacity(keys.len()), Vec::with_capacity(keys.len()));
        Ok(Self { stored, given, new })
    }

    /// Returns the result of a repeated command, if it is one; `responses` are those of the batch
    /// so far.
    pub(super) fn replay(
        &self,
        name: &CommandName,
        responses: &[CommandResponse],
    ) -> Option<CommandResponse> {
        // This batch first: its outcomes are not stored yet.
        let (request_hash, result) = match self.given.get(&name.key) {
            Some((request_hash, index)) => (request_hash, result_at(responses, *index)),
            None => self
                .stored
                .get(&name.key)
                .map(|stored| (&stored.request_hash, stored.result.as_ref()))?,
        };
        // The hash decides before the result: a key must not reveal the outcome of another command.
        if !name.request_hash.is(request_hash) {
            return Some(Err(AppError::KeyReused));
        }
        let result = result.ok_or(AppError::Internal("a stored outcome is not readable"));
        Some(result.map(|result| Receipt { result: result.clone(), is_replay: true }))
    }

    /// Stores the result of a command for its repetitions; it will be number `index` of the batch.
    pub(super) fn record(
        &mut self,
        name: &CommandName,
        result: &CommandResult,
        index: usize,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let outcome = formats::write(result).map_err(|error| StoreError::Rejected(error.into()))?;
        let (key, request_hash) = (name.key.clone(), name.request_hash.current);
        self.given.insert(key.clone(), (request_hash, index));
        self.new.push(StoredOutcome { key, request_hash, outcome, created_at: now });
        Ok(())
    }

    /// Writes the outcomes that this batch adds.
    pub(super) fn write(self, tx: &mut dyn Tx) -> Result<(), StoreError> {
        if self.new.is_empty() { Ok(()) } else { tx.insert_outcomes(&self.new) }
    }
}

fn result_at(responses: &[CommandResponse], index: usize) -> Option<&CommandResult> {
    responses.get(index)?.as_ref().ok().map(|receipt| &receipt.result)
}

/// Returns the stored outcomes with the rows that they reference.
fn read(
    tx: &mut dyn Tx,
    found: Vec<StoredOutcome>,
) -> Result<HashMap<CommandKey, StoredResult>, StoreError> {
    let mut referenced = ReferencedIds::default();
    let mut records = Vec::with_capacity(found.len());
    for StoredOutcome { key, request_hash, outcome, .. } in found {
        let stored = formats::read(&outcome);
        if let Some(stored) = &stored {
            referenced.add(stored);
        } else {
            // Only the repetition of this command fails, not the other commands of the batch.
            tracing::error!("idempotency: a stored outcome is not readable");
        }
        records.push((key, request_hash, stored));
    }
    let rows = referenced.find(tx)?;
    let with_result = |(key, request_hash, stored): (_, _, Option<Stored>)| {
        (key, StoredResult { request_hash, result: stored.and_then(|stored| rows.result(stored)) })
    };
    Ok(records.into_iter().map(with_result).collect())
}

/// Rows that stored outcomes reference.
#[derive(Default)]
struct ReferencedIds {
    transfers: Vec<TransferId>,
    bets: Vec<BetId>,
    /// Accounts, each with the versions that transfers from it gave it.
    debits: Vec<(AccountId, RangeInclusive<i64>)>,
}

impl ReferencedIds {
    fn add(&mut self, stored: &Stored) {
        match stored {
            Stored::Whole(_) => {}
            Stored::Transfer(id) => self.transfers.push(*id),
            Stored::Trade(id) => self.bets.push(*id),
            Stored::Batch(runs) => self.debits.extend(runs.iter().filter_map(versions_of)),
        }
    }

    fn find(mut self, tx: &mut dyn Tx) -> Result<ReferencedRows, StoreError> {
        // Bets first: their rows name further transfers to be read.
        let bets = if self.bets.is_empty() { Vec::new() } else { tx.find_bets(&self.bets)? };
        self.transfers.extend(bets.iter().map(|bet| bet.transfer_id));
        let transfers = if self.transfers.is_empty() {
            Vec::new()
        } else {
            tx.find_transfers(&self.transfers)?
        };
        let mut debits = HashMap::new();
        for (account, versions) in self.debits {
            let found = tx.find_transfers_from(account, versions)?;
            debits.extend(found.into_iter().map(|row| ((account, row.debit.version), row)));
        }
        Ok(ReferencedRows {
            transfers: transfers.into_iter().map(|transfer| (transfer.id, transfer)).collect(),
            bets: bets.into_iter().map(|bet| (bet.id, bet)).collect(),
            debits,
        })
    }
}

/// Returns the account and the versions of a run of payments.
fn versions_of(run: &BatchRun) -> Option<(AccountId, RangeInclusive<i64>)> {
    match run {
        BatchRun::Paid { from, first_version, count } => {
            Some((*from, *first_version..=first_version.saturating_add(i64::from(*count) - 1)))
        }
        BatchRun::Refused(..) => None,
    }
}

/// Referenced rows that were found.
#[derive(Default)]
struct ReferencedRows {
    transfers: HashMap<TransferId, Transfer>,
    bets: HashMap<BetId, Bet>,
    debits: HashMap<(AccountId, i64), Transfer>,
}

impl ReferencedRows {
    /// Returns the result of a stored outcome; `None` if a referenced row does not exist.
    fn result(&self, stored: Stored) -> Option<CommandResult> {
        Some(match stored {
            Stored::Whole(result) => result,
            Stored::Transfer(id) => Ok(Outcome::Transferred(self.transfers.get(&id)?.clone())),
            Stored::Trade(id) => {
                let bet = self.bets.get(&id)?.clone();
                let transfer = self.transfers.get(&bet.transfer_id)?;
                Ok(Outcome::Traded(Box::new(TradeReceipt::new(bet, transfer))))
            }
            Stored::Batch(runs) => Ok(Outcome::Batch(self.batch(&runs)?)),
        })
    }

    fn batch(&self, runs: &[BatchRun]) -> Option<Vec<Result<Transfer, DomainError>>> {
        let mut results = Vec::new();
        for run in runs {
            if let BatchRun::Refused(refusal, count) = run {
                results.extend((0..*count).map(|_| Err(*refusal)));
            }
            let Some((account, versions)) = versions_of(run) else { continue };
            for version in versions {
                results.push(Ok(self.debits.get(&(account, version))?.clone()));
            }
        }
        Some(results)
    }
}
