//! Deficit round robin: a fair queue of commands, whatever load each user sends.
//!
//! Each flow (a user) has a first-in, first-out queue and a deficit counter. Flows take turns: a
//! turn serves commands while the counter covers their weight, and then adds a quantum (Shreedhar
//! and Varghese, "Efficient Fair Queueing using Deficit Round Robin", SIGCOMM 1995). So over time
//! each flow gets the same weight served.
//!
//! Commands leave in units of work of a limited weight. A *heavy* command, one that exceeds this
//! limit, is a unit alone, and a unit of light ones comes between two heavy ones. So a light
//! command waits for one heavy command at most, however many flows send them, as long as one unit
//! can take the light commands of a round.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Weight that a flow may have served in each round.
///
/// Small, since a round of many busy flows delays flows with few commands; a flow's backlog still
/// fills a unit of work within a few rounds.
const QUANTUM: usize = 32;

/// Waiting commands of many flows.
#[derive(Debug)]
pub(super) struct FairQueue<K, T> {
    /// Maximum total weight of waiting commands.
    capacity: usize,
    /// Maximum weight of a unit of work with more than one command.
    unit_weight: usize,
    flows: HashMap<K, Flow<T>>,
    /// All flows, in the order of their next turns.
    turns: VecDeque<K>,
    /// Flows whose first command is heavy and covered by their deficit counter.
    heavy: VecDeque<K>,
    was_heavy: bool,
    len: usize,
    weight: usize,
}

/// Waiting commands of one user. An empty flow is removed at its next turn.
#[derive(Debug)]
struct Flow<T> {
    commands: VecDeque<(usize, T)>,
    weight: usize,
    deficit: usize,
    /// `true` if the flow is in `heavy`.
    is_heavy: bool,
}

impl<K: Clone + Eq + Hash, T> FairQueue<K, T> {
    /// Creates an empty queue.
    pub(super) fn new(capacity: usize, unit_weight: usize) -> Self {
        Self {
            capacity,
            unit_weight: unit_weight.max(1),
            flows: HashMap::new(),
            turns: VecDeque::new(),
            heavy: VecDeque::new(),
            was_heavy: false,
            len: 0,
            weight: 0,
        }
    }

    /// Returns the number of waiting commands.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Adds a command to the end of its flow, or returns it if the flow has no room.
    ///
    /// A flow may have as much weight as is still free (dynamic thresholds: Choudhury and Hahne,
    /// 1998). So one flow can take half of the capacity, two a third each, and there is always room
    /// for another one. An empty flow may exceed that with its first command, or a command heavier
    /// than the capacity could never be served.
    pub(super) fn push(&mut self, key: K, weight: usize, command: T) -> Result<(), T> {
        let weight = weight.max(1);
        let free = self.capacity.saturating_sub(self.weight);
        let waiting = self.flows.get(&key).map_or(0, |flow| flow.weight);
        // See above: without this, a command heavier than the free room could never be accepted.
        let is_first = waiting == 0 && free > 0;
        if !is_first && waiting.saturating_add(weight) > free {
            return Err(command);
        }
        let turns = &mut self.turns;
        let flow = self.flows.entry(key).or_insert_with_key(|key| {
            turns.push_back(key.clone());
            Flow { commands: VecDeque::new(), weight: 0, deficit: QUANTUM, is_heavy: false }
        });
        flow.commands.push_back((weight, command));
        flow.weight += weight;
        self.weight += weight;
        self.len += 1;
        Ok(())
    }

    /// Returns the approximate weight served before a new command of this flow.
    pub(super) fn weight_before(&self, key: &K, weight: usize) -> usize {
        let own = self.flows.get(key).map_or(0, |flow| flow.weight);
        let rounds = own.saturating_add(weight).div_ceil(QUANTUM);
        // Other flows are served only in the rounds that this command needs, so their backlog
        // counts up to that.
        let credit = rounds.saturating_mul(QUANTUM);
        let others = self.flows.iter().filter(|(other, _)| *other != key);
        own + others.map(|(_, flow)| flow.weight.min(credit)).sum::<usize>()
    }

    /// Takes the commands of the next unit of work; empty only if no command waits.
    ///
    /// `accept` receives each command whose turn has come. A command that it does not return is
    /// left out, and its flow is not charged for it.
    pub(super) fn next_unit(&mut self, mut accept: impl FnMut(T) -> Option<T>) -> Vec<T> {
        while self.len > 0 {
            let light = if self.was_heavy || self.heavy.is_empty() {
                self.take_light(&mut accept)
            } else {
                Vec::new()
            };
            // A heavy unit is always followed by a light one, or one heavy command of each flow
            // would delay a payment.
            self.was_heavy = light.is_empty();
            if !light.is_empty() {
                return light;
            }
            if let Some(command) = self.take_heavy(&mut accept) {
                return vec![command];
            }
        }
        Vec::new()
    }

    /// Takes light commands until the unit is full, all are taken, or a heavy one has its turn:
    /// then it ends after the current round.
    fn take_light(&mut self, accept: &mut impl FnMut(T) -> Option<T>) -> Vec<T> {
        let mut unit = Vec::new();
        let mut room = self.unit_weight;
        loop {
            for _ in 0..self.turns.len() {
                if !self.take_turn(&mut unit, &mut room, accept) {
                    return unit;
                }
            }
            if self.turns.is_empty() || !self.heavy.is_empty() {
                return unit;
            }
        }
    }

    /// Serves the next flow up to its deficit counter; `false` if the unit is full before the turn
    /// is over.
    fn take_turn(
        &mut self,
        unit: &mut Vec<T>,
        room: &mut usize,
        accept: &mut impl FnMut(T) -> Option<T>,
    ) -> bool {
        let Some(key) = self.turns.pop_front() else { return true };
        let Some(flow) = self.flows.get_mut(&key) else { return true };
        while let Some((weight, _)) = flow.commands.front() {
            let is_covered = *weight <= flow.deficit;
            let is_heavy = *weight > self.unit_weight;
            if is_covered && is_heavy && !flow.is_heavy {
                flow.is_heavy = true;
                self.heavy.push_back(key.clone());
            }
            if !is_covered || is_heavy {
                // While a heavy command waits for its unit, its flow earns a quantum per round like
                // the others.
                flow.deficit = (flow.deficit + QUANTUM).min(2 * weight.max(&QUANTUM));
                self.turns.push_back(key);
                return true;
            }
            // The turn continues in the next unit, so the flow keeps its place and its deficit.
            if *weight > *room {
                self.turns.push_front(key);
                return false;
            }
            let Some((weight, command)) = flow.pop() else { break };
            self.len -= 1;
            self.weight -= weight;
            if let Some(command) = accept(command) {
                flow.deficit -= weight;
                *room -= weight;
                unit.push(command);
            }
        }
        // An empty flow loses its deficit: credit must not accumulate while a user sends nothing.
        self.flows.remove(&key);
        true
    }

    /// Takes the heavy command that has waited longest for its turn.
    fn take_heavy(&mut self, accept: &mut impl FnMut(T) -> Option<T>) -> Option<T> {
        while let Some(key) = self.heavy.pop_front() {
            let Some(flow) = self.flows.get_mut(&key) else { continue };
            let Some((weight, command)) = flow.pop() else { continue };
            flow.is_heavy = false;
            self.len -= 1;
            self.weight -= weight;
            if let Some(command) = accept(command) {
                flow.deficit -= weight;
                return Some(command);
            }
        }
        None
    }
}

impl<T> Flow<T> {
    fn pop(&mut self) -> Option<(usize, T)> {
        let (weight, command) = self.commands.pop_front()?;
        self.weight -= weight;
        Some((weight, command))
    }
}

#[cfg(test)]
mod tests;
