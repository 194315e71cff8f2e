//! The running unit of work: an open transaction. The modules of the areas, such as
//! [`ledger`](crate::ledger), implement the ports' `Tx` traits for it.

use foretell_ports::error::StoreError;

use crate::connection::Connection;
use crate::error::Failure;
use crate::text_index::TextIndex;

/// An open transaction.
pub(crate) struct UnitTx<'a, 'c> {
    connection: &'a mut Connection<'c>,
    index: &'a TextIndex,
    failed: Option<FirstFailure>,
}

/// Consequence of the first failed statement for the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstFailure {
    /// Contention: the unit may run again.
    Contention,
    /// The unit has failed permanently.
    Final,
}

impl<'a, 'c> UnitTx<'a, 'c> {
    pub(crate) const fn new(connection: &'a mut Connection<'c>, index: &'a TextIndex) -> Self {
        Self { connection, index, failed: None }
    }

    /// Returns the first failure, even if the unit ignored it. Postgres has then aborted the
    /// transaction and would report a commit as successful, so it must not be committed.
    pub(crate) const fn failed(&self) -> Option<FirstFailure> {
        self.failed
    }

    /// Runs one step of a repository that writes searchable texts.
    pub(crate) fn indexed_step<T>(
        &mut self,
        step: impl FnOnce(&mut Connection<'c>, &TextIndex) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let index = self.index;
        self.step(|connection| step(connection, index))
    }

    /// Runs one step of a repository.
    pub(crate) fn step<T>(
        &mut self,
        step: impl FnOnce(&mut Connection<'c>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        step(self.connection).map_err(|failure| {
            let error = StoreError::from(failure);
            self.failed.get_or_insert(match error {
                StoreError::Contention(_) => FirstFailure::Contention,
                _ => FirstFailure::Final,
            });
            error
        })
    }
}
