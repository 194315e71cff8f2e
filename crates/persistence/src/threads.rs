//! Threads for work that blocks, as many as there are connections to work on.
//!
//! The runtime's own would do, but it keeps dozens, and hands each piece of work to any of them. What a batch has
//! allocated on one thread and another has freed stays with the first one's heap until that thread is at work
//! again: fifty threads kept 200 MB between batches, four keep next to nothing.

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinError;

/// How long a thread waits for work before it ends.
const IDLE: Duration = Duration::from_mins(10);

/// A fixed number of threads. Once they are dropped, what they have begun still ends.
pub(crate) struct Threads(Option<Runtime>);

impl Threads {
    /// At most `count` threads of this name; each starts when it is first needed.
    pub(crate) fn new(name: &str, count: usize) -> std::io::Result<Self> {
        // Nothing else ever runs on this runtime, so nobody drives it.
        let mut builder = Builder::new_current_thread();
        builder.max_blocking_threads(count).thread_keep_alive(IDLE).thread_name(name);
        builder.build().map(Some).map(Self)
    }

    /// Runs `work` on one of the threads. It goes on to its end even if nobody waits for it any more.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        match &self.0 {
            Some(runtime) => runtime.spawn_blocking(work).await,
            // Only while it is dropped, when nobody has it to call this.
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
