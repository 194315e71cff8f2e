//! The running unit of work: an open transaction behind the ports' `Tx` traits (see [`crate::ports`]).

use foretell_ports::error::StoreError;

use crate::connection::Connection;
use crate::error::Failure;
use crate::text_index::TextIndex;

/// A transaction that has begun and not ended.
pub(crate) struct UnitTx<'a, 'c> {
    connection: &'a mut Connection<'c>,
    index: &'a TextIndex,
    failed: Option<FirstFailure>,
}

/// What the first statement that failed means for the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstFailure {
    /// Others were in the way: the unit may run again.
    Contention,
    /// The unit has failed for good.
    Final,
}

impl<'a, 'c> UnitTx<'a, 'c> {
    pub(crate) const fn new(connection: &'a mut Connection<'c>, index: &'a TextIndex) -> Self {
        Self { connection, index, failed: None }
    }

    /// The first failure, whatever the unit made of it. Postgres has then dropped the transaction and would
    /// answer a commit as if all were well, so it must not be committed.
    pub(crate) const fn failed(&self) -> Option<FirstFailure> {
        self.failed
    }

    /// Runs one step of a repository that writes what searches find.
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
