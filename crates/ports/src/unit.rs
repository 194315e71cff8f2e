//! Units of work: closures over storage whose changes are committed completely or not at all.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use crate::api_key::ApiKeyTx;
use crate::error::StoreError;
use crate::grant::GrantTx;
use crate::idempotency::IdempotencyTx;
use crate::invitation::InvitationTx;
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

pub use crate::locked::Locked;

/// All write operations of a unit of work.
pub trait Tx:
    LedgerTx
    + MarketTx
    + UserTx
    + KnownNetworkTx
    + GrantTx
    + InvitationTx
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
        + GrantTx
        + InvitationTx
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

/// End of a unit of work whose statements have all succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The changes are stored.
    Commit,
    /// The changes are discarded, since a rule refuses the operation.
    RollBack,
}

/// A unit of work without its result: what adapters run.
pub type ErasedWork = Box<dyn FnMut(&mut dyn Tx) -> Result<Ending, StoreError> + Send>;

/// An error of a unit of work: storage has failed, or a rule refuses the operation.
pub trait WorkError: From<StoreError> + Send + 'static {
    /// Returns the error of storage, after which an adapter may run the unit again, or the refusal.
    ///
    /// # Errors
    /// The refusal.
    fn into_store_error(self) -> Result<StoreError, Self>;
}

impl WorkError for StoreError {
    fn into_store_error(self) -> Result<Self, Self> {
        Ok(self)
    }
}

/// Future of a unit of work.
pub type UnitFuture<'a> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>>;

/// Runs units of work. Use cases call `run`; adapters implement
/// [`run_erased`](UnitOfWork::run_erased).
///
/// # Contract for adapters
/// - The work runs from begin to commit without interruption: once begun it ends, even if the
///   caller drops the future. It is committed if it returns [`Ending::Commit`], and has no effect
///   otherwise, also if it panics (reported as [`StoreError::Rejected`]).
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
    /// Runs `work`, which refuses nothing, and returns its result once the changes are durable. An
    /// `Err` discards them.
    ///
    /// # Errors
    /// The [`StoreError`] of the work or of the commit.
    pub async fn run<T, F>(&self, name: &'static str, work: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        self.try_run(name, work).await
    }

    /// Runs `work` and returns its result once the changes are durable. An `Err` discards them,
    /// whether storage has failed or a rule refuses the operation.
    ///
    /// # Errors
    /// The error of the work, or the [`StoreError`] of the commit.
    pub async fn try_run<T, E, F>(&self, name: &'static str, mut work: F) -> Result<T, E>
    where
        F: FnMut(&mut dyn Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: WorkError,
    {
        let slot = Arc::new(Mutex::new(None));
        let writer = Arc::clone(&slot);
        let erased: ErasedWork = Box::new(move |tx| {
            let (result, ending) = match work(tx).map_err(WorkError::into_store_error) {
                Ok(result) => (Ok(result), Ending::Commit),
                Err(Ok(error)) => return Err(error),
                Err(Err(refusal)) => (Err(refusal), Ending::RollBack),
            };
            *writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            Ok(ending)
        });
        self.run_erased(name, erased).await?;
        let result = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        result.unwrap_or_else(|| {
            Err(StoreError::Rejected("the unit of work did not run".into()).into())
        })
    }
}
