//! Tests one history on every store: the same random commands, with the same ids and the same
//! clock, have the same receipts and stored data in memory, on `SQLite` and on Postgres.
//!
//! `FORETELL_EQUIVALENCE_SEEDS` and `FORETELL_EQUIVALENCE_COMMANDS` set the length of a run, and
//! `FORETELL_EQUIVALENCE_SEED` selects one history only. A failed history prints its seed and the
//! failing command; every shorter run of the same seed starts with the same commands.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

mod action;
mod books;
mod choice;
mod coverage;
mod crowd;
mod history;
mod state;
mod world;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use foretell_application::SettlementRunner;
use foretell_testkit::FakeClock;
use foretell_tests::{Chance, eventually, number};
use futures::future::join_all;
use futures::{FutureExt as _, StreamExt as _};

use action::{Action, Answer, Step};
use books::Books;
use coverage::Coverage;
use state::State;
use world::{Kind, World};

/// Number of commands between two comparisons of all data.
const COMPARE_EVERY: usize = 100;
/// Number of concurrent histories.
const AT_ONCE: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_commands_are_equivalent_on_every_store() {
    let commands = number("FORETELL_EQUIVALENCE_COMMANDS", 400);
    let one = number("FORETELL_EQUIVALENCE_SEED", 0);
    let seeds = if one > 0 { one..=one } else { 1..=number("FORETELL_EQUIVALENCE_SEEDS", 8) };
    let histories = futures::stream::iter(seeds).map(async |seed| {
        // Every failure prints its seed.
        let history =
            AssertUnwindSafe(history::compare(seed as u64, commands)).catch_unwind().await;
        history.unwrap_or_else(|_| {
            panic!("the history of FORETELL_EQUIVALENCE_SEED={seed} differs, see above")
        })
    });
    let tallies: Vec<Coverage> = histories.buffer_unordered(AT_ONCE).collect().await;
    if tallies.len() * commands >= 3_000 {
        Coverage::sum(tallies).check_variety();
    }
}

// On one thread, so that concurrent actions of a crowd keep their order.
#[tokio::test]
async fn large_settlement_is_equivalent_on_every_store() {
    let clock = FakeClock::default();
    let mut all = Vec::new();
    for kind in Kind::ALL {
        let world = World::open(kind, 77, &clock).await;
        let state = crowd::settle(&world).await;
        all.push((kind, Books::read(&world, &state).await));
    }
    for (kind, books) in &all {
        books.check(*kind);
        books.check_same(*kind, &all[0].1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_commands_keep_every_invariant() {
    for kind in Kind::ALL {
        for seed in 1..=2 {
            check_at_once(kind, seed).await;
        }
    }
}

/// Sends some hundreds of concurrent commands to two nodes, some of them twice, and then settles
/// every market.
async fn check_at_once(kind: Kind, seed: u64) {
    let clock = FakeClock::default();
    let world = Arc::new(World::open(kind, seed, &clock).await);
    let mut state = State::default();
    let mut chance = Chance::new(seed);
    // First a history of its own, so that there is something to trade, to pay with and to reverse.
    for _ in 0..120 {
        let step = state.next_step(&mut chance);
        state.learn(&step, &world.perform(&step).await);
    }
    let steps: Vec<Step> = (0..300).map(|_| state.next_step(&mut chance)).collect();
    let twice = steps.iter().filter(|step| !matches!(step.action, Action::Register(_))).step_by(3);
    let sent: Vec<Step> = steps.iter().chain(twice).cloned().collect();
    let tasks = sent.iter().enumerate().map(|(number, step)| {
        let (world, step) = (Arc::clone(&world), step.clone());
        tokio::spawn(async move { world.perform_on(number % 2, &step).await })
    });
    let answers: Vec<Answer> = join_all(tasks)
        .await
        .into_iter()
        .map(|answer| answer.expect("no command panics"))
        .collect();
    for (step, answer) in sent.iter().zip(&answers) {
        state.learn(step, answer);
    }
    check_repetitions(kind, &sent, &answers);
    for market in state.undecided(&world).await {
        let step = state.decision(market, &mut chance);
        let settled = world.perform_on(chance.below(2), &step).await;
        assert!(settled.is_done, "{kind:?}, seed {seed}: {step:?} => {}", settled.text);
    }
    let settlement_runners =
        world.nodes.each_ref().map(|node| SettlementRunner::start(Arc::clone(&node.markets)));
    eventually("every market is settled", async || world.is_settled().await.then_some(())).await;
    for settlement_runner in settlement_runners {
        settlement_runner.stop().await;
    }
    Books::read(&world, &state).await.check(kind);
}

/// Checks that all submissions of one key got the same effect.
fn check_repetitions(kind: Kind, sent: &[Step], answers: &[Answer]) {
    let mut first = std::collections::HashMap::new();
    for (step, answer) in sent.iter().zip(answers) {
        let state = first.entry((step.caller.user.id, step.key.clone())).or_insert((step, answer));
        // Another command under the same key gets an error; which of them came first depends on
        // timing. A command without a key is executed once, and its repetition finds nothing.
        let is_keyed =
            !matches!(step.action, Action::Delete(_) | Action::Dispute(_) | Action::EndProposal(_));
        let is_same = is_keyed && format!("{:?}", state.0.action) == format!("{:?}", step.action);
        assert!(
            !is_same || state.1.effect == answer.effect,
            "{kind:?}: {step:?} => {} and {}",
            state.1.text,
            answer.text,
        );
    }
}
