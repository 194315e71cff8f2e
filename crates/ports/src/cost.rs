//! Storage cost of a request: adapters record it, and the server of the request reads it.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

thread_local! {
    /// Cost record of the work that this thread is doing.
    static CURRENT: RefCell<Option<Arc<Cost>>> = const { RefCell::new(None) };
}

/// Number of statements sent to a database, and the time they took.
#[derive(Debug, Default)]
pub struct Cost {
    statements: AtomicU32,
    time_us: AtomicU64,
}

impl Cost {
    /// Adds the cost of some work.
    pub fn add(&self, statements: u32, time: Duration) {
        let time_us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.statements.fetch_add(statements, Ordering::Relaxed);
        self.time_us.fetch_add(time_us, Ordering::Relaxed);
    }

    /// Returns the number of statements.
    pub fn statements(&self) -> u32 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Returns the time of the statements; concurrent ones are added up.
    pub fn time(&self) -> Duration {
        Duration::from_micros(self.time_us.load(Ordering::Relaxed))
    }
}

/// Runs `work` and records its cost in `cost`: that of everything it awaits itself, but not of
/// other tasks that it spawns. The caller pins it, so that no large future is moved.
pub async fn noted_in<F: Future>(cost: &Arc<Cost>, mut work: Pin<&mut F>) -> F::Output {
    poll_fn(|context| {
        let _within = Within::begin(Arc::clone(cost));
        work.as_mut().poll(context)
    })
    .await
}

/// Returns the cost record of the work that this thread is doing, if there is one.
pub fn current() -> Option<Arc<Cost>> {
    CURRENT.with_borrow(Clone::clone)
}

/// Guard that sets the cost record of the thread while it exists.
struct Within(Option<Arc<Cost>>);

impl Within {
    fn begin(cost: Arc<Cost>) -> Self {
        Self(CURRENT.replace(Some(cost)))
    }
}

impl Drop for Within {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// Polls it once.
    fn poll(work: Pin<&mut impl Future<Output = ()>>) -> Poll<()> {
        work.poll(&mut Context::from_waker(Waker::noop()))
    }

    /// Records a statement each time that it is polled, and ends with the second.
    async fn two_statements() {
        let mut left = 2;
        poll_fn(|_| {
            current().unwrap().add(1, Duration::from_millis(3));
            left -= 1;
            if left == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    #[test]
    fn interleaved_costs_are_recorded_separately() {
        let (first, second) = (Arc::new(Cost::default()), Arc::new(Cost::default()));
        let of_first = async || noted_in(&first, pin!(two_statements())).await;
        let mut one = Box::pin(of_first());
        let mut other = Box::pin(async { noted_in(&second, pin!(of_first())).await });
        assert!(poll(one.as_mut()).is_pending() && poll(other.as_mut()).is_pending());
        assert!(current().is_none(), "nothing is noted outside");
        assert!(poll(one.as_mut()).is_ready() && poll(other.as_mut()).is_ready());
        drop((one, other));
        assert_eq!((first.statements(), first.time()), (4, Duration::from_millis(12)));
        assert_eq!(second.statements(), 0);
    }
}
