//! Runs work of more than a millisecond of processor time outside the HTTP workers.

use std::num::NonZero;
use std::sync::LazyLock;
use std::thread::available_parallelism;

use actix_web::web::block;
use tokio::sync::Semaphore;

use crate::error::ApiError;

/// One permit for each processor: more threads would only take time slices from each other.
static PERMITS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, NonZero::get)));

/// Runs `work` on a thread that may block. An HTTP worker serves many connections in turn, so the
/// time that it computes for one of them delays all others.
///
/// # Errors
/// 500 if `work` panics.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    let permit = PERMITS.acquire().await.map_err(ApiError::internal)?;
    let work = move || {
        // The work continues if the client disconnects, and keeps its permit until it ends.
        let _permit = permit;
        work()
    };
    block(work).await.map_err(ApiError::internal)
}
