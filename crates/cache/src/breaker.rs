//! Circuit breaker of requests to Redis.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Number of consecutive failures that open the breaker.
const FAILURES: u32 = 3;

/// Closed while Redis responds. It opens after some consecutive failures, and stays open until a
/// probe succeeds.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    failures: AtomicU32,
    is_open: AtomicBool,
}

impl Breaker {
    /// Returns `true` if requests may be sent.
    pub(crate) fn is_closed(&self) -> bool {
        !self.is_open.load(Ordering::Acquire)
    }

    /// Records a response. While the breaker is open, only a probe closes it.
    pub(crate) fn note_success(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    /// Records a failure. Returns `true` if it has opened the breaker.
    pub(crate) fn note_failure(&self) -> bool {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        failures >= FAILURES && !self.is_open.swap(true, Ordering::AcqRel)
    }

    /// Records the result of a probe. Returns `true` if it has opened or closed the breaker.
    pub(crate) fn note_probe(&self, is_answered: bool) -> bool {
        self.failures.store(0, Ordering::Relaxed);
        self.is_open.swap(!is_answered, Ordering::AcqRel) == is_answered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_and_closes_by_a_probe() {
        let breaker = Breaker::default();
        for _ in 1..FAILURES {
            assert!(!breaker.note_failure());
        }
        breaker.note_success();
        for _ in 1..FAILURES {
            assert!(!breaker.note_failure());
        }
        assert!(breaker.is_closed());
        assert!(breaker.note_failure());
        assert!(!breaker.note_failure(), "it is open already");
        breaker.note_success();
        assert!(!breaker.is_closed(), "one that was asked before is no probe");
        assert!(!breaker.note_probe(false));
        assert!(breaker.note_probe(true));
        assert!(breaker.is_closed());
    }
}
