//! The money writer: it executes every command that moves money, many of them in one unit of work.
//!
//! A command is sent with a one-shot reply channel into the bounded queue of a lane. A lane takes
//! all waiting commands, up to a limit and without a timer, and runs them as one unit of work:
//! while one batch commits, the next one accumulates. A row lock is held until the commit is
//! flushed, so a busy account is limited by commits per second; a batch makes one commit of many
//! commands. Each caller gets its own result after the commit.
//!
//! Users share a lane by deficit round robin (`fair_queue`), so that no user waits for the backlog
//! of another. Of several lanes, the last one is for heavy commands, which would delay the others.
//!
//! Correctness depends on row locks and unique keys alone; lanes only distribute the work, so
//! several processes may write to one database.

mod apply;
mod batch;
mod batch_state;
mod claim;
mod command;
mod estimator;
mod fair_queue;
mod formats;
mod lane;
mod outcome;
mod outcomes;
mod queue;
mod typed_command;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foretell_ports::cost;
use foretell_ports::idempotency::CommandKey;
use metrics::counter;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tracing::Span;

use crate::error::AppError;
use crate::ports::Ports;
use crate::principal::Principal;
use claim::ClaimFlag;
pub(crate) use command::{
    ApplyProposal, CloseEnded, CloseMarket, Command, DecideMarket, DeleteMarket, OpenMarket,
    PlaceBet, Register, Reversal, SellShares, SettleMarket, SignupGrant, UndoSettlement,
};
pub use command::{
    BatchMode, Burn, Decided, Decision, MAX_BATCH_TRANSFERS, Mint, PaidBatch, Payment, PaymentBatch,
};
use formats::RequestHash;
pub(crate) use lane::LaneDeps;
use lane::{Lane, QueuedCommand};
use outcome::Outcome;
pub use outcome::{MarketOpened, MarketState, Receipt, Registered, TradeReceipt};
use queue::LaneQueue;
pub(crate) use typed_command::TypedCommand;

/// Settings of the money writer.
#[derive(Debug, Clone)]
pub struct WriterSettings {
    /// Number of concurrent units of work; use 1 for SQLite. The last of several lanes is for heavy
    /// commands.
    pub lanes: usize,
    /// Maximum number of transfers in a unit of work, unless a single command makes more: such a
    /// command is heavy. Commands other than batches count as one transfer.
    pub batch_size: usize,
    /// Maximum number of transfers waiting for a lane. One user may have half of them.
    pub queue: usize,
    /// Maximum time that a command may wait before it is rejected.
    pub max_wait: Duration,
    /// `true` if users get emails: after registration, and about the outcome of a market in which
    /// they held shares.
    pub sends_emails: bool,
}

impl Default for WriterSettings {
    fn default() -> Self {
        Self {
            lanes: 1,
            batch_size: 256,
            queue: 65_536,
            max_wait: Duration::from_secs(1),
            sends_emails: false,
        }
    }
}

/// A command with its principal and its idempotency key.
#[derive(Debug)]
pub(crate) struct CommandEnvelope {
    pub(crate) principal: Principal,
    pub(crate) command: Command,
    pub(crate) name: Option<CommandName>,
}

/// Idempotency key of a command and the hash that distinguishes a repetition from another command
/// with the same key.
#[derive(Debug)]
pub(crate) struct CommandName {
    pub(crate) key: CommandKey,
    pub(crate) request_hash: RequestHash,
}

/// Handle of the money writer. Dropping it lets the lanes finish the accepted commands.
pub struct MoneyWriter {
    queues: Vec<Arc<LaneQueue>>,
    batch_size: usize,
    max_wait: Duration,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl MoneyWriter {
    /// Starts the lanes; call it within a Tokio runtime.
    pub(crate) fn start(ports: &Ports, settings: &WriterSettings, deps: &LaneDeps) -> Self {
        let (batch_size, max_wait) = (settings.batch_size.max(1), settings.max_wait);
        let start_lane = |_| {
            let queue = Arc::new(LaneQueue::new(settings.queue, batch_size, max_wait));
            let lane = Lane::new(ports, deps.clone(), Arc::clone(&queue));
            (queue, tokio::spawn(lane.run()))
        };
        let (queues, tasks) = (0..settings.lanes.max(1)).map(start_lane).unzip();
        Self { queues, batch_size, max_wait, tasks: Mutex::new(tasks) }
    }

    /// Executes `command` once under `key`: a repetition gets the first result, including domain
    /// errors.
    ///
    /// # Errors
    /// [`AppError::KeyReused`] for another command under the same key, [`AppError::Overloaded`] if
    /// the queue is full, the command waited too long or would, or the writer is draining,
    /// [`AppError::Unauthorized`] if the caller's credential has ended or they are suspended,
    /// [`AppError::Store`] if storage failed. Domain errors are part of the receipt.
    pub(crate) async fn submit_once<C: TypedCommand>(
        &self,
        principal: impl Into<Principal>,
        key: String,
        command: C,
    ) -> Result<Receipt<C::Output>, AppError> {
        let (principal, command) = (principal.into(), command.into());
        let user_id = principal
            .user_id()
            .ok_or(AppError::Internal("an idempotency key belongs to a user"))?;
        let name = CommandName {
            key: CommandKey { user_id, key },
            request_hash: formats::hash(&command)
                .ok_or(AppError::Internal("a command does not serialize"))?,
        };
        self.send(CommandEnvelope { principal, command, name: Some(name) }).await?.of::<C>()
    }

    /// Executes a command that is idempotent by itself.
    ///
    /// # Errors
    /// As for a command with a key.
    pub(crate) async fn submit<C: TypedCommand>(
        &self,
        principal: impl Into<Principal>,
        command: C,
    ) -> Result<Receipt<C::Output>, AppError> {
        let envelope =
            CommandEnvelope { principal: principal.into(), command: command.into(), name: None };
        self.send(envelope).await?.of::<C>()
    }

    async fn send(&self, envelope: CommandEnvelope) -> Result<Receipt<Outcome>, AppError> {
        let queue = self
            .queue_for(&envelope.command)
            .ok_or(AppError::Internal("the writer has no lane"))?;
        let ((reply, mut answer), claim) = (oneshot::channel(), ClaimFlag::default());
        let (envelope, since) = (Arc::new(envelope), Instant::now());
        // Captured here: the lane works in another task, which belongs to no request.
        let (cost, span) = (cost::current(), Span::current().id());
        queue.push(QueuedCommand { envelope, reply, claim: claim.clone(), cost, span, since })?;
        // The caller withdraws a command that nobody has begun: a rejected command must never be
        // executed later.
        let answered = match timeout(self.max_wait, &mut answer).await {
            Ok(answered) => answered,
            Err(_) if claim.claim() => return Err(refuse("too_late")),
            // The lane has begun it, so only its outcome can be returned.
            Err(_) => answer.await,
        };
        answered.map_err(|_| AppError::Internal("a lane ended without an answer"))?
    }

    /// Returns `true` if every lane accepts commands.
    pub(crate) fn is_alive(&self) -> bool {
        self.queues.iter().all(|queue| !queue.is_closed())
    }

    /// Returns the queue of the last lane for a heavy command, if there are several lanes; commands
    /// on the same rows usually share one of the others.
    fn queue_for(&self, command: &Command) -> Option<&LaneQueue> {
        let (last, others) = self.queues.split_last()?;
        if others.is_empty() || command.weight() > self.batch_size {
            return Some(last);
        }
        let index = command.lane_hint() % others.len() as u128;
        others.get(usize::try_from(index).ok()?).map(Arc::as_ref)
    }

    fn close(&self) {
        self.queues.iter().for_each(|queue| queue.close());
    }

    /// Stops accepting commands and waits until the accepted ones are answered.
    pub(crate) async fn drain(&self) {
        self.close();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "money writer lane failed");
            }
        }
    }
}

impl Drop for MoneyWriter {
    fn drop(&mut self) {
        self.close();
    }
}

/// Returns the error of a rejected command, and counts the reason.
fn refuse(reason: &'static str) -> AppError {
    counter!("foretell_writer_refused_total", "reason" => reason).increment(1);
    AppError::Overloaded
}
