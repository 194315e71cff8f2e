//! Tests of the fair queue: its order, its shares and its limits.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const UNIT_WEIGHT: usize = 256;
const MAX_WEIGHT: usize = 1_000;
const ROOMY: usize = 10_000_000;

/// A command of a test: its flow, its number within the flow, and its weight.
type Sent = (char, usize, usize);
type Queue = FairQueue<char, Sent>;

fn queue() -> Queue {
    Queue::new(ROOMY, UNIT_WEIGHT)
}

/// Sends commands of the same weight, and returns the number that the queue takes.
fn send(queue: &mut Queue, flow: char, count: usize, weight: usize) -> usize {
    (0..count).filter(|number| queue.push(flow, weight, (flow, *number, weight)).is_ok()).count()
}

fn next(queue: &mut Queue) -> Vec<Sent> {
    queue.next_unit(Some)
}

/// Returns the flows of the commands of the next units.
fn flows_of(queue: &mut Queue, units: usize) -> Vec<String> {
    (0..units).map(|_| next(queue).iter().map(|(flow, ..)| flow).collect()).collect()
}

#[test]
fn flow_is_served_first_in_first_out() {
    let mut queue = queue();
    send(&mut queue, 'a', 300, 1);
    let (first, second) = (next(&mut queue), next(&mut queue));
    assert_eq!((first.len(), second.len()), (256, 44));
    assert!(first.into_iter().chain(second).map(|(_, number, _)| number).eq(0..300));
}

#[test]
fn small_batches_fill_a_unit() {
    let mut queue = queue();
    send(&mut queue, 'a', 5, 100);
    send(&mut queue, 'b', 1, 56);
    assert_eq!(flows_of(&mut queue, 3), ["baa", "aa", "a"]);
}

#[test]
fn light_command_precedes_waiting_heavy_ones() {
    let mut queue = queue();
    send(&mut queue, 'a', 32, MAX_WEIGHT);
    assert_eq!(flows_of(&mut queue, 1), ["a"]);
    send(&mut queue, 'b', 1, 1);
    assert_eq!(flows_of(&mut queue, 3), ["b", "a", "a"]);
}

#[test]
fn light_command_waits_for_one_heavy_at_most() {
    let mut queue = queue();
    for flow in 'a'..='j' {
        send(&mut queue, flow, 3, MAX_WEIGHT);
    }
    for _ in 0..20 {
        send(&mut queue, 'z', 1, 1);
        let units = flows_of(&mut queue, 2);
        assert!(units.contains(&"z".to_owned()), "{units:?}");
    }
}

#[test]
fn heavy_command_is_not_starved_by_light_ones() {
    let mut queue = queue();
    send(&mut queue, 'a', 1, MAX_WEIGHT);
    // Less than a unit at any time, and never empty.
    let mut units = 0;
    loop {
        send(&mut queue, 'b', 16, 1);
        send(&mut queue, 'c', 16, 1);
        if next(&mut queue).iter().any(|(flow, ..)| *flow == 'a') {
            break;
        }
        units += 1;
        assert!(units <= MAX_WEIGHT / QUANTUM + 1, "the heavy command waits after {units} units");
    }
}

#[test]
fn round_limits_each_flow_to_its_quantum() {
    let mut queue = queue();
    for flow in 'a'..='p' {
        send(&mut queue, flow, 100, 1);
    }
    send(&mut queue, 'z', 1, 1);
    let units = flows_of(&mut queue, 3);
    assert!(units[2].contains('z'), "one round of 16 flows is two units: {units:?}");
}

#[test]
fn one_flow_takes_half_of_the_capacity() {
    let mut queue = Queue::new(1_000, UNIT_WEIGHT);
    assert_eq!(send(&mut queue, 'a', 2_000, 1), 500);
    assert_eq!(send(&mut queue, 'b', 2_000, 1), 250);
    assert_eq!(send(&mut queue, 'c', 1, 100), 1);
    assert_eq!(send(&mut queue, 'a', 1, 1), 0);
}

#[test]
fn command_heavier_than_the_capacity_is_taken_alone() {
    let mut queue = Queue::new(10, UNIT_WEIGHT);
    assert_eq!(send(&mut queue, 'a', 2, MAX_WEIGHT), 1);
    assert_eq!(send(&mut queue, 'b', 1, 1), 0);
    assert_eq!(flows_of(&mut queue, 2), ["a", ""]);
}

#[test]
fn withdrawn_command_is_not_charged() {
    let mut queue = queue();
    send(&mut queue, 'a', 10, UNIT_WEIGHT);
    send(&mut queue, 'a', 1, 1);
    let unit =
        queue.next_unit(|(flow, number, weight)| (weight == 1).then_some((flow, number, weight)));
    assert_eq!((unit, queue.len(), queue.weight), (vec![('a', 0, 1)], 0, 0));
}

#[test]
fn withdrawn_heavy_commands_do_not_hide_others() {
    let mut queue = queue();
    send(&mut queue, 'a', 3, MAX_WEIGHT);
    send(&mut queue, 'b', 2, MAX_WEIGHT);
    let unit = queue.next_unit(|sent| (sent.0 == 'b').then_some(sent));
    assert_eq!(unit, [('b', 0, MAX_WEIGHT)]);
}

#[test]
fn weight_before_counts_own_backlog_and_others_rounds() {
    let mut queue = queue();
    assert_eq!(queue.weight_before(&'a', 1), 0);
    send(&mut queue, 'a', 16, MAX_WEIGHT);
    send(&mut queue, 'b', 16, MAX_WEIGHT);
    send(&mut queue, 'c', 5, 1);
    assert_eq!(queue.weight_before(&'z', 1), 2 * QUANTUM + 5);
    assert_eq!(queue.weight_before(&'z', MAX_WEIGHT), 2 * 1_024 + 5);
    assert_eq!(queue.weight_before(&'a', MAX_WEIGHT), 32_000 + 5);
}

/// Weights on both sides of the limits of a round and of a unit.
fn weights() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 1..=QUANTUM, 1 => QUANTUM..=UNIT_WEIGHT, 1 => UNIT_WEIGHT + 1..=MAX_WEIGHT]
}

proptest! {
    /// Every command leaves once, in the order of its flow, in units within their limit.
    #[test]
    fn units_conserve_commands_and_order(
        steps in vec((vec((0..5_usize, weights()), 0..8), 0..4_usize), 1..40),
    ) {
        let mut queue = queue();
        let mut sent = [0; 5];
        let mut served = [0; 5];
        let mut waiting = 0;
        let drain = (vec![], 10_000);
        for (commands, units) in steps.into_iter().chain([drain]) {
            for (index, weight) in commands {
                let flow = ['a', 'b', 'c', 'd', 'e'][index];
                prop_assert!(queue.push(flow, weight, (flow, sent[index], weight)).is_ok());
                sent[index] += 1;
                waiting += weight;
            }
            for _ in 0..units {
                let is_empty = queue.len() == 0;
                let unit = next(&mut queue);
                prop_assert_eq!(unit.is_empty(), is_empty);
                let weight: usize = unit.iter().map(|(.., weight)| weight).sum();
                prop_assert!(weight <= UNIT_WEIGHT || unit.len() == 1, "{:?}", unit);
                waiting -= weight;
                for (flow, number, _) in unit {
                    let index = "abcde".find(flow).unwrap();
                    prop_assert_eq!(number, served[index]);
                    served[index] += 1;
                }
                prop_assert_eq!(queue.weight, waiting);
                if is_empty {
                    break;
                }
            }
        }
        prop_assert_eq!(sent, served);
        prop_assert!(queue.flows.values().all(|flow| flow.commands.is_empty()));
    }

    /// Flows with a constant backlog are served the same weight, except for one command and one
    /// round each.
    #[test]
    fn busy_flows_are_served_equally(weights in vec(weights(), 2..8), units in 1..400_usize) {
        let mut queue = queue();
        let mut served = vec![0; weights.len()];
        let flow_at = |index: usize| char::from(b'a' + u8::try_from(index).unwrap());
        for (index, weight) in weights.iter().enumerate() {
            send(&mut queue, flow_at(index), 2 * UNIT_WEIGHT, *weight);
        }
        for _ in 0..units {
            for (flow, _, weight) in next(&mut queue) {
                served[usize::from(u8::try_from(flow).unwrap() - b'a')] += weight;
                send(&mut queue, flow, 1, weight);
            }
        }
        let (least, most) = (served.iter().min().unwrap(), served.iter().max().unwrap());
        prop_assert!(most - least <= MAX_WEIGHT + (weights.len() + 1) * QUANTUM, "{:?}: {:?}", weights, served);
    }

    /// A command within the quantum waits for one heavy command at most, if the light ones of the
    /// others in a round fit into the same unit.
    #[test]
    fn light_command_waits_for_one_heavy(
        others in vec((0..3_usize, prop_oneof![1..=QUANTUM, UNIT_WEIGHT + 1..=MAX_WEIGHT]), 0..60),
        units_before in 0..20_usize,
        weight in 1..=QUANTUM,
    ) {
        let mut queue = queue();
        for (index, weight) in others {
            let flow = ['a', 'b', 'c'][index];
            queue.push(flow, weight, (flow, 0, weight)).unwrap();
        }
        for _ in 0..units_before {
            next(&mut queue);
        }
        send(&mut queue, 'z', 1, weight);
        let mut heavy = 0;
        while let unit = next(&mut queue) && unit.iter().all(|(flow, ..)| *flow != 'z') {
            heavy += usize::from(unit.iter().any(|(.., weight)| *weight > UNIT_WEIGHT));
        }
        prop_assert!(heavy <= 1, "{} heavy commands went before it", heavy);
    }
}
