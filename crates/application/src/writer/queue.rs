//! Queue of a lane: callers add commands, the lane takes units of work.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foretell_domain::id::UserId;
use metrics::gauge;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::command::Command;
use super::estimator::QueueEstimator;
use super::fair_queue::FairQueue;
use super::lane::QueuedCommand;
use super::{CommandEnvelope, refuse};
use crate::error::AppError;

/// Group of commands that shares a lane equally with the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Flow {
    /// All commands of this user.
    User(UserId),
    /// All commands of the process itself, which pays settlements.
    System,
    /// All registrations together, since each has another user.
    Registrations,
}

impl Flow {
    const fn of(envelope: &CommandEnvelope) -> Self {
        match envelope.command {
            Command::Register(_) => Self::Registrations,
            _ => match envelope.principal.user_id() {
                Some(user) => Self::User(user),
                None => Self::System,
            },
        }
    }
}

/// Queue of a lane.
pub(super) struct LaneQueue {
    unit_weight: usize,
    max_wait: Duration,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    commands: FairQueue<Flow, QueuedCommand>,
    estimator: QueueEstimator,
    is_closed: bool,
}

impl LaneQueue {
    /// Creates an empty queue. `capacity` and `unit_weight` count transfers.
    pub(super) fn new(capacity: usize, unit_weight: usize, max_wait: Duration) -> Self {
        let (commands, estimator) =
            (FairQueue::new(capacity, unit_weight), QueueEstimator::default());
        let state = Mutex::new(State { commands, estimator, is_closed: false });
        Self { unit_weight, max_wait, state, changed: Notify::new() }
    }

    /// Adds a command.
    ///
    /// # Errors
    /// [`AppError::Overloaded`] if the queue is closed, its user has no room left in it, or the
    /// command would probably wait for more than half of the maximum.
    pub(super) fn push(&self, command: QueuedCommand) -> Result<(), AppError> {
        let flow = Flow::of(&command.envelope);
        let weight = command.envelope.command.weight();
        let mut state = self.lock();
        if state.is_closed {
            return Err(AppError::Overloaded);
        }
        // Rounded down: less than a whole unit before the command is served together with it.
        let units = state.commands.weight_before(&flow, weight) / self.unit_weight;
        // The durations of units vary: at the exact limit, many accepted commands would time out.
        if state.estimator.expected_wait(command.since, units) > self.max_wait / 2 {
            return Err(refuse("too_many"));
        }
        state.commands.push(flow, weight, command).map_err(|_| refuse("queue_full"))?;
        drop(state);
        gauge!("foretell_writer_queue_length").increment(1.0);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for the next unit of work; empty if the queue is closed and empty.
    ///
    /// Withdrawn commands are left out. So are those that waited too long, even if their callers
    /// have not noticed: they are rejected.
    pub(super) async fn next_unit(&self) -> Vec<QueuedCommand> {
        loop {
            {
                let mut state = self.lock();
                let waiting = state.commands.len();
                let unit = state.commands.next_unit(|command| command.begin(self.max_wait));
                let taken = u32::try_from(waiting - state.commands.len()).unwrap_or(u32::MAX);
                gauge!("foretell_writer_queue_length").decrement(taken);
                if !unit.is_empty() {
                    let weight: usize =
                        unit.iter().map(|command| command.envelope.command.weight()).sum();
                    let units =
                        u32::try_from(weight.div_ceil(self.unit_weight)).unwrap_or(u32::MAX);
                    state.estimator.begin(Instant::now(), units);
                    return unit;
                }
                if state.is_closed {
                    return unit;
                }
            }
            self.changed.notified().await;
        }
    }

    /// Records that the last unit has ended.
    pub(super) fn end_unit(&self) {
        self.lock().estimator.end(Instant::now());
    }

    /// Stops accepting commands; the lane continues until none are left.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    /// Closes the queue and drops the waiting commands, so that their callers get an error.
    pub(super) fn abandon(&self) {
        self.close();
        // Dropping a command drops its reply channel, which its caller notices.
        while !self.lock().commands.next_unit(Some).is_empty() {}
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
