//! Work of more than a millisecond of processor time, outside the HTTP workers.

use std::num::NonZero;
use std::sync::LazyLock;
use std::thread::available_parallelism;

use actix_web::web::block;
use tokio::sync::Semaphore;

use crate::error::ApiError;

/// Bytes of texts or JSON that take a worker less than a millisecond. Less is not worth a change of
/// threads, and must not wait behind large requests for a permit.
const LARGE_BYTES: usize = 64 * 1024;

/// One permit for each processor: more threads would only take time slices from each other.
static PERMITS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, NonZero::get)));

/// Runs `work` on a thread that may block if it handles many bytes, otherwise here. An HTTP worker
/// serves many connections in turn, so the time that it computes for one of them delays all others.
///
/// # Errors
/// 500 if `work` panics.
pub(crate) async fn run<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    if bytes < LARGE_BYTES {
        return Ok(work());
    }
    let permit = PERMITS.acquire().await.map_err(ApiError::internal)?;
    let work = move || {
        // The work continues if the client disconnects, and keeps its permit until it ends.
        let _permit = permit;
        work()
    };
    block(work).await.map_err(ApiError::internal)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[actix_web::test]
    async fn only_large_work_leaves_the_worker() {
        let worker = thread::current().id();
        let here = run(LARGE_BYTES - 1, || thread::current().id()).await.unwrap();
        assert_eq!(here, worker);
        let elsewhere = run(LARGE_BYTES, || thread::current().id()).await.unwrap();
        assert_ne!(elsewhere, worker);
    }
}
