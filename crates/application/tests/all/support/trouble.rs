//! Fault injection, and commands that wait together.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use foretell_application::AppError;
use foretell_domain::id::MarketId;
use foretell_testkit::faults::Fault;
use futures::future::join_all;
use futures::poll;

use super::Fixture;

/// Name of the writer's units.
const MONEY_BATCH: &str = "money_batch";
/// Timeout of each wait.
const PATIENCE: Duration = Duration::from_secs(20);

/// Outcome of a unit whose response is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// It was committed.
    Committed,
    /// It was dropped.
    Dropped,
    /// It is still running, and is committed when the next unit waits for its locks.
    CommittedLate,
}

impl Loss {
    pub(crate) const ALL: [Self; 3] = [Self::Committed, Self::Dropped, Self::CommittedLate];
}

impl Fixture {
    /// Returns the number of units that the writer has started so far.
    pub(crate) fn batches(&self) -> usize {
        self.faults.count(MONEY_BATCH)
    }

    /// Lets so many of the writer's units pass and then fails one.
    pub(crate) fn fail_after(&self, units: usize, fault: Fault) {
        for _ in 0..units {
            self.faults.fail_next_named(MONEY_BATCH, Fault::Delay(Duration::ZERO));
        }
        self.faults.fail_next_named(MONEY_BATCH, fault);
    }

    /// Loses the responses of the writer's units with these numbers, the next being 0.
    pub(crate) fn lose(&self, loss: Loss, units: &[usize]) {
        for number in 0..=units.iter().copied().max().unwrap_or(0) {
            let is_lost = units.contains(&number);
            let fault = match loss {
                Loss::Committed if is_lost => Fault::LostAfterCommit,
                Loss::Dropped if is_lost => Fault::LostBeforeCommit,
                _ => Fault::Delay(Duration::ZERO),
            };
            self.faults.fail_next_named(MONEY_BATCH, fault);
            self.late.order([is_lost && loss == Loss::CommittedLate]);
        }
    }

    /// Sends commands while the lane is busy, so that they wait together, in this order; then
    /// releases the lane, and returns the results and the number of units.
    pub(crate) fn together<F: Future>(
        &self,
        commands: impl IntoIterator<Item = F>,
    ) -> impl Future<Output = (Vec<F::Output>, usize)> {
        self.together_after(|| (), commands)
    }

    /// Sends commands like `together`, and calls `prepare` just before the counted units.
    pub(crate) fn together_after<F: Future>(
        &self,
        prepare: impl FnOnce(),
        commands: impl IntoIterator<Item = F>,
    ) -> impl Future<Output = (Vec<F::Output>, usize)> {
        let mut waiting: Vec<Pin<Box<F>>> = commands.into_iter().map(Box::pin).collect();
        async move {
            let before = self.while_busy(async {
                prepare();
                for command in &mut waiting {
                    assert!(poll!(command).is_pending(), "a command that waits has no answer yet");
                }
                self.batches()
            });
            let before = before.await;
            let answers = join_all(waiting).await;
            (answers, self.batches() - before)
        }
    }

    /// Runs some work while the lane is busy.
    pub(crate) async fn while_busy<T>(&self, work: impl Future<Output = T>) -> T {
        let gate = self.faults.hold_next();
        let mut busy = Box::pin(self.app.markets.close_market(
            &self.nobody,
            self.key(),
            MarketId::from_u128(0),
        ));
        assert!(poll!(&mut busy).is_pending());
        gate.arrived().await;
        let result = work.await;
        gate.release();
        assert!(matches!(busy.await, Err(AppError::Unauthorized)));
        result
    }
}

/// Waits until a condition is true.
pub(crate) async fn eventually(is_so: impl AsyncFn() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it comes to be so in time");
}

/// Takes one if any is left; returns `true` if it was.
pub(crate) fn take_one(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}
