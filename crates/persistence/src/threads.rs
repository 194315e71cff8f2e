//! Threads for blocking work, as many as there are connections.
//!
//! Tokio's own blocking pool would work, but it keeps dozens of threads, and hands work to any of
//! them. Memory that a batch allocates on one thread and frees on another stays in the heap of the
//! first one until it works again: fifty threads kept 200 MB between batches, four keep next to
//! nothing.

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinError;

/// Time after which an idle thread ends.
const IDLE: Duration = Duration::from_mins(10);

/// A fixed number of threads. Work that has begun ends even if this is dropped.
pub(crate) struct Threads(Option<Runtime>);

impl Threads {
    /// Creates at most `count` threads with this name; each starts when it is first needed.
    pub(crate) fn new(name: &str, count: usize) -> std::io::Result<Self> {
        // No task ever runs on this runtime, so nothing has to drive it.
        let mut builder = Builder::new_current_thread();
        builder.max_blocking_threads(count).thread_keep_alive(IDLE).thread_name(name);
        builder.build().map(Some).map(Self)
    }

    /// Runs `work` on one of the threads. It runs to its end even if the future is dropped.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        match &self.0 {
            Some(runtime) => runtime.spawn_blocking(work).await,
            // Only while it is being dropped, when no other code can call this.
            None => tokio::task::spawn_blocking(work).await,
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
