//! Units of work: closures over storage whose changes are committed completely or not at all.

use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use crate::api_key::ApiKeyTx;
use crate::error::StoreError;
use crate::idempotency::IdempotencyTx;
use crate::job::JobTx;
use crate::known_network::KnownNetworkTx;
use crate::ledger::LedgerTx;
use crate::market::MarketTx;
use crate::post::PostTx;
use crate::quota::QuotaTx;
use crate::secret::SecretTx;
use crate::user::UserTx;
use crate::vector::VectorTx;
use crate::webhook::WebhookTx;

/// All write operations of a unit of work.
pub trait Tx:
    LedgerTx
    + MarketTx
    + UserTx
    + KnownNetworkTx
    + ApiKeyTx
    + PostTx
    + QuotaTx
    + IdempotencyTx
    + SecretTx
    + WebhookTx
    + JobTx
    + VectorTx
{
}

impl<
    T: LedgerTx
        + MarketTx
        + UserTx
        + KnownNetworkTx
        + ApiKeyTx
        + PostTx
        + QuotaTx
        + IdempotencyTx
        + SecretTx
        + WebhookTx
        + JobTx
        + VectorTx,
> Tx for T
{
}

/// A row that the running unit of work has locked or inserted. Only such rows can be saved.
#[derive(Debug, Clone, PartialEq)]
pub struct Locked<T>(T);

impl<T> Locked<T> {
    /// Marks a row as locked. Only adapters, after locking it, may call this.
    pub const fn assume(row: T) -> Self {
        Self(row)
    }

    /// Returns the row, which can then no longer be saved.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Locked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Locked<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// A unit of work without its result: what adapters run.
pub type ErasedWork = Box<dyn FnMut(&mut dyn Tx) -> Result<(), StoreError> + Send>;

/// Future of a unit of work.
pub type UnitFuture<'a> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>>;

/// Runs units of work. Use cases call `run`; adapters implement
/// [`run_erased`](UnitOfWork::run_erased).
///
/// # Contract for adapters
/// - The work runs from begin to commit without interruption: once begun it ends, even if the
///   caller drops the future. It is committed if it returns `Ok`, and has no effect otherwise, also
///   if it panics (reported as [`StoreError::Rejected`]).
/// - Each read of a locked row returns the latest committed state, which stays valid until the unit
///   ends.
/// - The work may run again from the start after contention, with back-off. It must access nothing
///   but `tx`.
pub trait UnitOfWork: Send + Sync {
    /// Runs `work` under a name that is shown in logs.
    ///
    /// # Errors
    /// Any [`StoreError`]; only [`StoreError::CommitUnknown`] leaves open whether the changes were
    /// stored.
    fn run_erased<'a>(&'a self, name: &'static str, work: ErasedWork) -> UnitFuture<'a>;
}

impl dyn UnitOfWork {
    /// Runs `work` and returns its result once the changes are durable. An `Err` of the work
    /// discards them; a rejection by a business rule is part of `T`, returned before anything is
    /// written.
    ///
    /// # Errors
    /// The [`StoreError`] of the work or of the commit.
    pub async fn run<T, F>(&self, name: &'static str, mut work: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let slot = Arc::new(Mutex::new(None));
        let writer = Arc::clone(&slot);
        let erased: ErasedWork = Box::new(move |tx| {
            let result = work(tx)?;
            *writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            Ok(())
        });
        self.run_erased(name, erased).await?;
        let result = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        result.ok_or_else(|| StoreError::Rejected("the unit of work did not run".into()))
    }
}
