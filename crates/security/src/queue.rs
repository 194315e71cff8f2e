//! Bounded queue of the threads that hash passwords.

use std::num::NonZeroUsize;
use std::sync::Arc;

use foretell_ports::secret::PasswordError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Maximum number of waiting callers for each hashing thread; the next one is rejected immediately.
///
/// A hash takes about 36 ms, so the last of them waits about 0.6 s.
pub const WAITING_PER_THREAD: usize = 16;

/// Runs closures on tokio's blocking pool: a fixed number at once, while a fixed number waits in
/// order.
#[derive(Debug)]
pub(crate) struct HashingQueue {
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
}

/// Permit of one running closure. It moves into the closure, so that a caller who disconnects while
/// it runs does not free the core that is still busy.
struct Permit {
    _running: OwnedSemaphorePermit,
    _admitted: OwnedSemaphorePermit,
}

impl HashingQueue {
    /// Creates a queue that runs `threads` closures at once, while [`WAITING_PER_THREAD`] times as
    /// many wait.
    pub(crate) fn new(threads: NonZeroUsize) -> Self {
        let running = threads.get().min(Semaphore::MAX_PERMITS / (WAITING_PER_THREAD + 1));
        Self {
            running: Arc::new(Semaphore::new(running)),
            admitted: Arc::new(Semaphore::new(running * (WAITING_PER_THREAD + 1))),
        }
    }

    /// Runs `work` in turn. A caller that is dropped while waiting leaves the queue; once begun,
    /// the work runs to its end.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] immediately if too many callers wait, [`PasswordError::Failed`] if
    /// the work panicked or the runtime is shutting down.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let permit = self.enter().await?;
        let ran = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        ran.await.map_err(|error| PasswordError::Failed(error.into()))
    }

    async fn enter(&self) -> Result<Permit, PasswordError> {
        // The permit to wait is taken without waiting and kept while the work runs, so that the sum
        // of both is limited and a full queue is rejected immediately.
        let admitted =
            Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        let running = Arc::clone(&self.running).acquire_owned().await;
        let running = running.map_err(|error| PasswordError::Failed(error.into()))?;
        Ok(Permit { _running: running, _admitted: admitted })
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use tokio::sync::oneshot;

    use super::*;

    fn one_thread() -> HashingQueue {
        HashingQueue::new(NonZeroUsize::MIN)
    }

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn full_queue_rejects_next_caller() {
        let queue = one_thread();
        let working = queue.enter().await.unwrap();
        let mut waiting: Vec<_> =
            (0..WAITING_PER_THREAD).map(|_| Box::pin(queue.run(|| ()))).collect();
        for one in &mut waiting {
            assert!(poll(one.as_mut()).is_pending());
        }

        assert!(matches!(poll(pin!(queue.run(|| ()))), Poll::Ready(Err(PasswordError::Busy))));

        drop(working);
        for one in waiting {
            one.await.unwrap();
        }
        queue.run(|| ()).await.unwrap();
    }

    #[tokio::test]
    async fn dropped_waiting_caller_frees_its_permit() {
        let queue = one_thread();
        let _working = queue.enter().await.unwrap();
        let mut waiting: Vec<_> =
            (0..WAITING_PER_THREAD).map(|_| Box::pin(queue.run(|| ()))).collect();
        for one in &mut waiting {
            assert!(poll(one.as_mut()).is_pending());
        }

        waiting.pop();

        assert!(poll(pin!(queue.run(|| ()))).is_pending());
    }

    #[tokio::test]
    async fn running_work_keeps_permit_of_dropped_caller() {
        let queue = one_thread();
        let (started, has_started) = oneshot::channel();
        let (finish, may_finish) = oneshot::channel::<()>();
        let mut caller = Box::pin(queue.run(move || {
            started.send(()).unwrap();
            may_finish.blocking_recv().unwrap();
        }));
        assert!(poll(caller.as_mut()).is_pending());
        has_started.await.unwrap();

        drop(caller);

        assert_eq!(queue.running.available_permits(), 0);
        let mut next = Box::pin(queue.run(|| ()));
        assert!(poll(next.as_mut()).is_pending());

        finish.send(()).unwrap();
        next.await.unwrap();
    }

    #[tokio::test]
    async fn panic_is_error_and_frees_permit() {
        let queue = one_thread();
        let outcome = queue.run(|| panic!("on purpose")).await;
        assert!(matches!(outcome, Err(PasswordError::Failed(_))));
        queue.run(|| ()).await.unwrap();
    }
}
