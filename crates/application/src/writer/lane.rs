//! A lane: takes units of work from its queue, runs each, and answers every command.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use foretell_domain::market::MarketRules;
use foretell_ports::cost::{self, Cost};
use foretell_ports::error::{Chain, StoreError};
use foretell_ports::system::{Clock, IdSource};
use foretell_ports::unit::UnitOfWork;
use metrics::histogram;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::Instrument as _;
use tracing::span::Id;

use super::batch::{self, BatchContext, CommandResponse};
use super::claim::ClaimFlag;
use super::queue::LaneQueue;
use super::{CommandEnvelope, refuse};
use crate::error::{AppError, clone_corrupt};
use crate::markets::market_feed::MarketFeed;
use crate::ports::Ports;
use crate::projector::Projector;

/// Number of times that a batch whose commit is unknown runs again: by then its first run has
/// ended, and the stored outcomes tell what it did.
const UNKNOWN_RETRIES: u32 = 4;
/// Pause before the first of these runs; each further pause is twice as long.
const UNKNOWN_PAUSE: Duration = Duration::from_millis(50);

/// A command that waits for its result.
pub(super) struct QueuedCommand {
    pub(super) envelope: Arc<CommandEnvelope>,
    pub(super) reply: oneshot::Sender<CommandResponse>,
    /// Claimed before the command begins; a caller who has waited too long claims it to withdraw
    /// the command.
    pub(super) claim: ClaimFlag,
    /// Cost record of its caller, if any.
    pub(super) cost: Option<Arc<Cost>>,
    /// Span of its caller.
    pub(super) span: Option<Id>,
    pub(super) since: Instant,
}

impl QueuedCommand {
    /// Begins the command, unless it was withdrawn or has waited too long; in the latter case it is
    /// rejected.
    pub(super) fn begin(self, max_wait: Duration) -> Option<Self> {
        if !self.claim.claim() {
            return None;
        }
        if self.since.elapsed() > max_wait {
            self.respond(Err(refuse("too_late")));
            return None;
        }
        Some(self)
    }

    fn respond(self, response: CommandResponse) {
        // The caller may be gone; the command stays executed, and its key returns the outcome.
        drop(self.reply.send(response));
    }
}

/// Dependencies of a lane besides the ports.
#[derive(Clone)]
pub(crate) struct LaneDeps {
    /// Receives the markets that have changed.
    pub(crate) feed: Arc<MarketFeed>,
    /// Projects the events of each batch.
    pub(crate) projector: Projector,
    /// Rules of all markets.
    pub(crate) rules: MarketRules,
}

pub(super) struct Lane {
    units: Arc<dyn UnitOfWork>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    deps: LaneDeps,
    queue: Arc<LaneQueue>,
}

impl Lane {
    pub(super) fn new(ports: &Ports, deps: LaneDeps, queue: Arc<LaneQueue>) -> Self {
        Self {
            units: Arc::clone(&ports.units),
            clock: Arc::clone(&ports.clock),
            ids: Arc::clone(&ports.ids),
            deps,
            queue,
        }
    }

    /// Runs until the queue is closed and empty.
    pub(super) async fn run(self) {
        loop {
            let unit = self.queue.next_unit().await;
            if unit.is_empty() {
                return;
            }
            self.execute(unit).await;
            self.queue.end_unit();
        }
    }

    /// Runs a batch; if storage rejects it as a whole, splits it in halves until the failing
    /// command is alone.
    async fn execute(&self, batch: Vec<QueuedCommand>) {
        let mut parts = vec![batch];
        while let Some(mut batch) = parts.pop() {
            match self.attempt(&batch).await {
                Ok(responses) => {
                    // Followers are woken before the callers get their results, and only after the
                    // commit.
                    self.deps.feed.announce(
                        batch.iter().filter_map(|command| command.envelope.command.market_id()),
                    );
                    for (command, response) in batch.into_iter().zip(responses) {
                        command.respond(response);
                    }
                }
                Err(StoreError::Rejected(_) | StoreError::Corrupt { .. }) if batch.len() > 1 => {
                    let later = batch.split_off(batch.len() / 2);
                    // A stack with the earlier half on top, so that the commands keep their order.
                    parts.extend([later, batch]);
                }
                Err(error) => Self::fail(batch, &error),
            }
        }
    }

    /// Runs the batch as one unit of work, and again if its commit is unknown: every row that the
    /// first run locked is locked again, which waits until that run has ended, and only then are
    /// keys read.
    async fn attempt(&self, batch: &[QueuedCommand]) -> Result<Vec<CommandResponse>, StoreError> {
        let mut pause = UNKNOWN_PAUSE;
        let mut retries = 0;
        let mut is_second_rejection = false;
        loop {
            match self.run_unit(batch).await {
                Err(StoreError::CommitUnknown(cause)) if retries < UNKNOWN_RETRIES => {
                    tracing::warn!(
                        %cause, commands = batch.len(),
                        "money batch: commit unknown, running it again to learn its outcome"
                    );
                    tokio::time::sleep(pause).await;
                    (pause, retries) = (pause * 2, retries + 1);
                }
                // Another process may have stored an outcome under the same key after it was read.
                Err(StoreError::Rejected(cause)) if batch.len() == 1 && !is_second_rejection => {
                    tracing::debug!(
                        %cause,
                        "money batch: command rejected by storage, retrying once"
                    );
                    is_second_rejection = true;
                }
                result => return result,
            }
        }
    }

    async fn run_unit(&self, batch: &[QueuedCommand]) -> Result<Vec<CommandResponse>, StoreError> {
        let envelopes: Vec<_> = batch.iter().map(|command| Arc::clone(&command.envelope)).collect();
        let (clock, ids) = (Arc::clone(&self.clock), Arc::clone(&self.ids));
        let projection = self.deps.projector.prepare().await;
        let rules = self.deps.rules;
        let work = move |tx: &mut dyn foretell_ports::unit::Tx| {
            let context_at = |now| BatchContext { now, ids: &*ids, projection: &projection, rules };
            batch::run(tx, &*clock, context_at, &envelopes)
        };
        histogram!("foretell_writer_batch_size")
            .record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        let begun = std::time::Instant::now();
        // The cost of the batch is charged to each caller in it: a batch cannot tell which command
        // caused it.
        let cost = Arc::new(Cost::default());
        let span = tracing::debug_span!("writer.batch", commands = batch.len());
        for caller in batch.iter().filter_map(|command| command.span.as_ref()) {
            span.follows_from(caller);
        }
        let running = self.units.run("money_batch", work).instrument(span);
        let ran = cost::noted_in(&cost, pin!(running)).await;
        histogram!("foretell_writer_batch_duration_seconds").record(begun.elapsed());
        for caller in batch.iter().filter_map(|command| command.cost.as_ref()) {
            caller.add(cost.statements(), cost.time());
        }
        ran
    }

    fn fail(batch: Vec<QueuedCommand>, failure: &StoreError) {
        let is_fault = matches!(failure, StoreError::Rejected(_) | StoreError::Corrupt { .. });
        let commands = batch.len();
        let error = Chain(failure);
        if is_fault {
            tracing::error!(%error, commands, "money batch: command rejected by storage");
        } else {
            tracing::warn!(%error, commands, "money batch: write failed, callers may retry");
        }
        for command in batch {
            // An error is not `Clone`, so each caller gets an equivalent one.
            let response = match failure {
                StoreError::Rejected(_) => AppError::Internal("storage rejected the command"),
                _ => AppError::Store(clone_corrupt(failure).unwrap_or_else(|| {
                    StoreError::Unavailable("the batch could not be written".into())
                })),
            };
            command.respond(Err(response));
        }
    }
}

impl Drop for Lane {
    /// Answers all waiting commands if the lane panicked.
    fn drop(&mut self) {
        self.queue.abandon();
    }
}
