//! Limit of concurrent searches: they are the most expensive reads, and must not starve the others.

use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::error::AppError;

/// Maximum time that a search waits for a permit.
const WAIT: Duration = Duration::from_secs(1);

/// Permit for one search, including its response. It is released when dropped.
#[derive(Debug)]
pub struct SearchPermit {
    _permit: OwnedSemaphorePermit,
}

/// All permits.
#[derive(Debug)]
pub(crate) struct SearchPermits(Arc<Semaphore>);

impl SearchPermits {
    pub(crate) fn new(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count.max(1))))
    }

    /// Waits for a permit, first come, first served.
    ///
    /// # Errors
    /// [`AppError::Overloaded`] after a second.
    pub(super) async fn admit(&self) -> Result<SearchPermit, AppError> {
        let permit = Arc::clone(&self.0).acquire_owned();
        let Ok(Ok(permit)) = timeout(WAIT, permit).await else {
            counter!("foretell_searches_refused_total").increment(1);
            return Err(AppError::Overloaded);
        };
        Ok(SearchPermit { _permit: permit })
    }
}
