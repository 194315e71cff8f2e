//! Health of the lanes of a worker.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use foretell_domain::job::JobLane;
use tokio::time::Instant;

/// Health of one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneHealth {
    /// The lane.
    pub lane: JobLane,
    /// `true` if it makes progress with due jobs.
    pub is_ok: bool,
}

/// Progress of a lane.
pub(crate) struct Heartbeat {
    began: Instant,
    /// Time of the last poll that found nothing due or leased jobs, in milliseconds after the
    /// start.
    last_poll_ms: AtomicU64,
    /// Time when a job was last leased or ended.
    last_progress_ms: AtomicU64,
    /// `true` if the maximum number of jobs is running.
    is_full: AtomicBool,
    limits: HeartbeatLimits,
}

/// Times without progress after which a lane is unhealthy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeartbeatLimits {
    /// Without a poll, or with due jobs that cannot be leased.
    pub(crate) poll: Duration,
    /// While the maximum number of jobs runs and none ends.
    pub(crate) attempt: Duration,
}

impl Heartbeat {
    pub(crate) fn new(limits: HeartbeatLimits) -> Self {
        let (last_poll_ms, last_progress_ms) = (AtomicU64::new(0), AtomicU64::new(0));
        Self {
            began: Instant::now(),
            last_poll_ms,
            last_progress_ms,
            is_full: AtomicBool::new(false),
            limits,
        }
    }

    /// Records a poll that has found nothing due, has leased jobs, or was skipped because the
    /// maximum is running.
    pub(crate) fn record_poll(&self, is_full: bool) {
        self.last_poll_ms.store(self.elapsed_ms(), Ordering::Relaxed);
        self.is_full.store(is_full, Ordering::Relaxed);
    }

    /// Records that a job was leased or has ended.
    pub(crate) fn record_progress(&self) {
        self.last_progress_ms.store(self.elapsed_ms(), Ordering::Relaxed);
    }

    pub(crate) fn is_ok(&self) -> bool {
        let is_stuck = self.is_full.load(Ordering::Relaxed)
            && self.since(&self.last_progress_ms) >= self.limits.attempt;
        self.since(&self.last_poll_ms) < self.limits.poll && !is_stuck
    }

    fn since(&self, moment_ms: &AtomicU64) -> Duration {
        Duration::from_millis(self.elapsed_ms().saturating_sub(moment_ms.load(Ordering::Relaxed)))
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: HeartbeatLimits =
        HeartbeatLimits { poll: Duration::from_secs(10), attempt: Duration::from_secs(100) };

    #[tokio::test(start_paused = true)]
    async fn lane_without_polls_is_not_ok() {
        let heartbeat = Heartbeat::new(LIMITS);
        tokio::time::advance(Duration::from_secs(9)).await;
        assert!(heartbeat.is_ok());
        heartbeat.record_poll(false);
        tokio::time::advance(Duration::from_secs(9)).await;
        assert!(heartbeat.is_ok());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!heartbeat.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn lane_full_of_endless_jobs_is_unhealthy() {
        let heartbeat = Heartbeat::new(LIMITS);
        heartbeat.record_progress();
        for _ in 0..99 {
            tokio::time::advance(Duration::from_secs(1)).await;
            heartbeat.record_poll(true);
            assert!(heartbeat.is_ok());
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!heartbeat.is_ok());
        heartbeat.record_progress();
        assert!(heartbeat.is_ok());
    }
}
