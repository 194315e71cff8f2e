//! The money writer: every command that moves money goes through here, many of them in one unit of work.
//!
//! A command is sent with a one-shot reply into the bounded queue of a lane. A lane takes whatever waits,
//! up to a limit and without a timer, and runs it as one unit of work: while one batch commits, the next one
//! gathers. A row lock is held through the flush of its commit, so a busy account is limited by commits a
//! second; a batch makes one commit of many commands. Each caller gets a result of its own after the commit.
//!
//! Correctness rests on row locks and unique keys alone; lanes only spread the work, so several processes
//! may write to one database.

mod apply;
mod batch;
mod claim;
mod command;
mod formats;
mod lane;
mod outcome;
mod outcomes;
mod pace;
mod rows;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foretell_ports::cost;
use foretell_ports::idempotency::CommandKey;
use metrics::counter;
use tokio::sync::mpsc::{self, Sender};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tracing::Span;

use crate::application::Ports;
use crate::authorization::Principal;
use crate::error::AppError;
use claim::Claim;
pub use command::{
    BatchMode, Command, Decision, MAX_BATCH_TRANSFERS, Mint, OpenMarket, Payment, PaymentBatch, PlaceBet,
    Register, Reversal, SellShares,
};
use formats::RequestHash;
pub(crate) use lane::Surroundings;
use lane::{Lane, Pending};
pub use outcome::{MarketOpened, MarketState, Outcome, Receipt, Registered, TradeReceipt};
use pace::Pace;

/// How the money writer works.
#[derive(Debug, Clone)]
pub struct WriterSettings {
    /// How many batches may run at once; one is right for SQLite.
    pub lanes: usize,
    /// The most commands of one unit of work.
    pub batch_size: usize,
    /// The most commands that wait for a lane.
    pub queue: usize,
    /// How long a command may wait before it is turned away.
    pub max_wait: Duration,
    /// Whether users get letters: when they register, and when a market in which they hold shares has ended.
    pub has_letters: bool,
}

impl Default for WriterSettings {
    fn default() -> Self {
        Self { lanes: 1, batch_size: 256, queue: 4_096, max_wait: Duration::from_secs(1), has_letters: false }
    }
}

/// A command with the one who sent it and the key that names it.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) principal: Principal,
    pub(crate) command: Command,
    pub(crate) name: Option<CommandName>,
}

/// The key of a command and the hash that tells a repetition from another command of the same key.
#[derive(Debug)]
pub(crate) struct CommandName {
    pub(crate) key: CommandKey,
    pub(crate) request_hash: RequestHash,
}

/// The way in for money. Dropping it lets the lanes finish what they have accepted.
pub struct MoneyWriter {
    lanes: Vec<WayIn>,
    batch_size: usize,
    max_wait: Duration,
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// The way into a lane.
struct WayIn {
    queue: Sender<Pending>,
    pace: Arc<Pace>,
}

impl MoneyWriter {
    /// Starts the lanes; call it within a Tokio runtime.
    pub(crate) fn start(ports: &Ports, settings: &WriterSettings, surroundings: &Surroundings) -> Self {
        let (stop, stopped) = watch::channel(false);
        let start_lane = |_| {
            let ((queue, receiver), pace) = (mpsc::channel(settings.queue.max(1)), Arc::new(Pace::new()));
            let surroundings = surroundings.clone();
            let lane = Lane::new(ports, settings, surroundings, Arc::clone(&pace), receiver, stopped.clone());
            (WayIn { queue, pace }, tokio::spawn(lane.run()))
        };
        let (lanes, tasks) = (0..settings.lanes.max(1)).map(start_lane).unzip();
        let (batch_size, max_wait) = (settings.batch_size.max(1), settings.max_wait);
        Self { lanes, batch_size, max_wait, stop, tasks: Mutex::new(tasks) }
    }

    /// Does `command` once under `key`: a repetition gets the first answer, refusals included.
    ///
    /// # Errors
    /// [`AppError::KeyReused`] for another command under the same key, [`AppError::Overloaded`] if the queue
    /// is full, the command waited too long or would, or the writer is draining, [`AppError::Unauthorized`] if the
    /// caller's credential has ended or they are suspended, [`AppError::Store`] if storage failed.
    /// Refusals of the domain are part of the receipt.
    pub(crate) async fn submit_once(
        &self,
        principal: impl Into<Principal>,
        key: String,
        command: Command,
    ) -> Result<Receipt<Outcome>, AppError> {
        let principal = principal.into();
        let name = CommandName {
            key: CommandKey { user_id: principal.user_id(), key },
            request_hash: formats::hash(&command)
                .ok_or(AppError::Internal("a command does not serialize"))?,
        };
        self.send(Envelope { principal, command, name: Some(name) }).await
    }

    /// Does a command that is safe to repeat by its own nature.
    ///
    /// # Errors
    /// As for a named command.
    pub(crate) async fn submit(
        &self,
        principal: impl Into<Principal>,
        command: Command,
    ) -> Result<Receipt<Outcome>, AppError> {
        self.send(Envelope { principal: principal.into(), command, name: None }).await
    }

    async fn send(&self, envelope: Envelope) -> Result<Receipt<Outcome>, AppError> {
        // A lane that is busy closes its queue only later.
        if *self.stop.borrow() {
            return Err(AppError::Overloaded);
        }
        let lane = self.lane_of(&envelope.command).ok_or(AppError::Internal("the writer has no lane"))?;
        let ((reply, mut answer), claim) = (oneshot::channel(), Claim::default());
        let (envelope, since) = (Arc::new(envelope), Instant::now());
        let waiting = lane.queue.max_capacity() - lane.queue.capacity();
        // Turns vary: who is let in at the limit would often wait in vain.
        if lane.pace.expected_wait(since, waiting / self.batch_size) > self.max_wait / 2 {
            return Err(refuse("too_many"));
        }
        let (cost, span) = (cost::current(), Span::current().id());
        let pending = Pending { envelope, reply, claim: claim.clone(), cost, span, since };
        lane.queue.try_send(pending).map_err(|_| refuse("queue_full"))?;
        let answered = match timeout(self.max_wait, &mut answer).await {
            Ok(answered) => answered,
            Err(_) if claim.take() => return Err(refuse("too_late")),
            // It has been begun, so its outcome is what counts.
            Err(_) => answer.await,
        };
        answered.map_err(|_| AppError::Internal("a lane ended without an answer"))?
    }

    /// Whether every lane takes commands.
    pub(crate) fn is_alive(&self) -> bool {
        !*self.stop.borrow() && self.lanes.iter().all(|lane| !lane.queue.is_closed())
    }

    fn lane_of(&self, command: &Command) -> Option<&WayIn> {
        let lanes = self.lanes.len() as u128;
        let index = command.lane_hint().checked_rem(lanes)?;
        self.lanes.get(usize::try_from(index).ok()?)
    }

    /// Accepts no more commands and waits until the accepted ones are answered.
    pub(crate) async fn drain(&self) {
        self.stop.send_replace(true);
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a lane of the money writer failed");
            }
        }
    }
}

/// Turns a command away, for a reason that is counted.
fn refuse(reason: &'static str) -> AppError {
    counter!("foretell_writer_refused_total", "reason" => reason).increment(1);
    AppError::Overloaded
}
