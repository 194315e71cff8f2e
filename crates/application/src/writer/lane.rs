//! A lane: takes the commands that wait, runs them as one unit of work, and answers each.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use foretell_ports::cost::{self, Cost};
use foretell_ports::error::{Chain, StoreError};
use foretell_ports::system::{Clock, IdSource};
use foretell_ports::unit::UnitOfWork;
use metrics::{gauge, histogram};
use tokio::sync::mpsc::Receiver;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use tracing::Instrument as _;
use tracing::span::Id;

use super::batch::{self, Answer, BatchContext};
use super::claim::Claim;
use super::pace::Pace;
use super::{Envelope, WriterSettings, refuse};
use crate::application::Ports;
use crate::error::{AppError, clone_corrupt};
use crate::market_feed::MarketFeed;
use crate::webhook_watch::WebhookWatch;

/// How often a batch whose commit is unknown is run again: by then its first run has ended, and the stored
/// outcomes answer for what it did.
const UNKNOWN_RETRIES: u32 = 4;
/// How long to wait before the first of these; each further wait is twice as long.
const UNKNOWN_PAUSE: Duration = Duration::from_millis(50);
/// How heavy a unit of work may be, in transfers, unless a single command is heavier.
const MAX_WEIGHT: usize = 1_024;

/// A command that waits for its answer.
pub(super) struct Pending {
    pub(super) envelope: Arc<Envelope>,
    pub(super) reply: oneshot::Sender<Answer>,
    /// Taken before the command is begun: a caller who has waited too long takes it to withdraw.
    pub(super) claim: Claim,
    /// Where its caller has noted what it costs, if that is wanted.
    pub(super) cost: Option<Arc<Cost>>,
    /// The span that its caller waits in.
    pub(super) span: Option<Id>,
    pub(super) since: Instant,
}

impl Pending {
    fn answer(self, answer: Answer) {
        // The caller may have gone; what was done stays done, and its key answers for it.
        drop(self.reply.send(answer));
    }
}

/// What a lane tells of its commits, and asks before them.
#[derive(Clone)]
pub(crate) struct Surroundings {
    /// Is told of the markets that have changed.
    pub(crate) feed: Arc<MarketFeed>,
    /// Is asked whether there are webhooks to tell.
    pub(crate) webhooks: Arc<WebhookWatch>,
}

pub(super) struct Lane {
    units: Arc<dyn UnitOfWork>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    feed: Arc<MarketFeed>,
    webhooks: Arc<WebhookWatch>,
    has_letters: bool,
    has_meanings: bool,
    batch_size: usize,
    max_wait: Duration,
    pace: Arc<Pace>,
    queue: Receiver<Pending>,
    stopped: watch::Receiver<bool>,
}

impl Lane {
    pub(super) fn new(
        ports: &Ports,
        settings: &WriterSettings,
        surroundings: Surroundings,
        pace: Arc<Pace>,
        queue: Receiver<Pending>,
        stopped: watch::Receiver<bool>,
    ) -> Self {
        Self {
            units: Arc::clone(&ports.units),
            clock: Arc::clone(&ports.clock),
            ids: Arc::clone(&ports.ids),
            feed: surroundings.feed,
            webhooks: surroundings.webhooks,
            has_letters: settings.has_letters,
            has_meanings: ports.semantic.is_some(),
            batch_size: settings.batch_size.max(1),
            max_wait: settings.max_wait,
            pace,
            queue,
            stopped,
        }
    }

    /// Works until the writer is dropped, or drained and its queue empty.
    pub(super) async fn run(mut self) {
        let mut waiting = Vec::with_capacity(self.batch_size);
        let mut is_stopping = false;
        loop {
            let received = tokio::select! {
                received = self.queue.recv_many(&mut waiting, self.batch_size) => received,
                _ = self.stopped.wait_for(|stopped| *stopped), if !is_stopping => {
                    is_stopping = true;
                    self.queue.close();
                    continue;
                }
            };
            if received == 0 {
                return;
            }
            self.pace.begin();
            for group in groups(waiting.drain(..)) {
                let begun = self.begin(group);
                if !begun.is_empty() {
                    self.execute(begun).await;
                }
            }
            self.pace.end();
        }
    }

    /// Takes what nobody has withdrawn, and turns away what has waited too long even if its caller has not
    /// noticed, be it for an earlier group of the same turn.
    fn begin(&self, group: Vec<Pending>) -> Vec<Pending> {
        let claimed = group.into_iter().filter(|pending| pending.claim.take());
        let (late, in_time): (Vec<_>, Vec<_>) =
            claimed.partition(|pending| pending.since.elapsed() > self.max_wait);
        for pending in late {
            pending.answer(Err(refuse("too_late")));
        }
        in_time
    }

    /// Runs a batch; where storage rejects it as a whole, halves it until the culprit stands alone.
    async fn execute(&self, batch: Vec<Pending>) {
        let mut parts = vec![batch];
        while let Some(mut part) = parts.pop() {
            match self.attempt(&part).await {
                Ok(answers) => {
                    self.feed
                        .announce(part.iter().filter_map(|pending| pending.envelope.command.market_id()));
                    for (pending, answer) in part.into_iter().zip(answers) {
                        pending.answer(answer);
                    }
                }
                Err(StoreError::Rejected(_) | StoreError::Corrupt { .. }) if part.len() > 1 => {
                    let later = part.split_off(part.len() / 2);
                    parts.extend([later, part]);
                }
                Err(error) => Self::fail(part, &error),
            }
        }
    }

    /// Runs the batch as one unit of work, and again where its outcome is unknown: every row that the first
    /// run locked is locked again, which waits until that run has ended, and only then are keys looked up.
    async fn attempt(&self, part: &[Pending]) -> Result<Vec<Answer>, StoreError> {
        let mut pause = UNKNOWN_PAUSE;
        let mut retries = 0;
        let mut is_second_rejection = false;
        loop {
            match self.run_unit(part).await {
                Err(StoreError::CommitUnknown(cause)) if retries < UNKNOWN_RETRIES => {
                    tracing::warn!(%cause, commands = part.len(), "a commit is unknown; asking what it did");
                    tokio::time::sleep(pause).await;
                    (pause, retries) = (pause * 2, retries + 1);
                }
                // Another process may have stored an outcome under the same key since it was looked up.
                Err(StoreError::Rejected(cause)) if part.len() == 1 && !is_second_rejection => {
                    tracing::debug!(%cause, "a command was rejected; trying once more");
                    is_second_rejection = true;
                }
                result => return result,
            }
        }
    }

    async fn run_unit(&self, part: &[Pending]) -> Result<Vec<Answer>, StoreError> {
        let envelopes: Vec<_> = part.iter().map(|pending| Arc::clone(&pending.envelope)).collect();
        let (clock, ids) = (Arc::clone(&self.clock), Arc::clone(&self.ids));
        let (has_letters, has_meanings) = (self.has_letters, self.has_meanings);
        let has_webhooks = self.webhooks.is_needed().await;
        let work = move |tx: &mut dyn foretell_ports::unit::Tx| {
            let context_at = |now| BatchContext { now, ids: &*ids, has_letters, has_meanings, has_webhooks };
            batch::run(tx, &*clock, context_at, &envelopes)
        };
        gauge!("foretell_writer_queue_length").set(u32::try_from(self.queue.len()).unwrap_or(u32::MAX));
        histogram!("foretell_writer_batch_size").record(u32::try_from(part.len()).unwrap_or(u32::MAX));
        let begun = std::time::Instant::now();
        let cost = Arc::new(Cost::default());
        let span = tracing::debug_span!("writer.batch", commands = part.len());
        for caller in part.iter().filter_map(|pending| pending.span.as_ref()) {
            span.follows_from(caller);
        }
        let running = self.units.run("money_batch", work).instrument(span);
        let ran = cost::noted_in(&cost, pin!(running)).await;
        histogram!("foretell_writer_batch_duration_seconds").record(begun.elapsed());
        for caller in part.iter().filter_map(|pending| pending.cost.as_ref()) {
            caller.add(cost.statements(), cost.time());
        }
        ran
    }

    fn fail(part: Vec<Pending>, failure: &StoreError) {
        let is_fault = matches!(failure, StoreError::Rejected(_) | StoreError::Corrupt { .. });
        let commands = part.len();
        let error = Chain(failure);
        if is_fault {
            tracing::error!(%error, commands, "storage rejected a command");
        } else {
            tracing::warn!(%error, commands, "a batch could not be written");
        }
        for pending in part {
            let answer = match failure {
                StoreError::Rejected(_) => AppError::Internal("storage rejected the command"),
                _ => AppError::Store(
                    clone_corrupt(failure)
                        .unwrap_or_else(|| StoreError::Unavailable("the batch could not be written".into())),
                ),
            };
            pending.answer(Err(answer));
        }
    }
}

/// Divides what waits into units of work that are not too heavy.
fn groups(waiting: impl Iterator<Item = Pending>) -> Vec<Vec<Pending>> {
    let mut groups: Vec<Vec<Pending>> = Vec::new();
    let mut weight = usize::MAX;
    for pending in waiting {
        weight = weight.saturating_add(pending.envelope.command.weight());
        match groups.last_mut() {
            Some(group) if weight <= MAX_WEIGHT => group.push(pending),
            _ => {
                weight = pending.envelope.command.weight();
                groups.push(vec![pending]);
            }
        }
    }
    groups
}
