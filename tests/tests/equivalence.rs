//! One history on every store: the same random commands, with the same ids and the same clock, come to the
//! same receipts and the same books in memory, on `SQLite` and on Postgres.
//!
//! `FORETELL_EQUIVALENCE_SEEDS` and `FORETELL_EQUIVALENCE_COMMANDS` ask for a longer run, and
//! `FORETELL_EQUIVALENCE_SEED` for one history only. A history that fails is shown with its seed and the
//! command that it failed at; every shorter run of the same seed begins with the same commands.
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
mod crowd;
mod history;
mod known;
mod tally;
mod world;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use foretell_application::Housekeeper;
use foretell_testkit::FakeClock;
use foretell_tests::{Chance, eventually, number};
use futures::future::join_all;
use futures::{FutureExt as _, StreamExt as _};

use action::{Action, Answer, Step};
use books::Books;
use known::Known;
use tally::Tally;
use world::{Kind, World};

/// How often all books are compared: after so many commands.
const COMPARE_EVERY: usize = 100;
/// How many histories are under way at once.
const AT_ONCE: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_commands_come_to_the_same_on_every_store() {
    let commands = number("FORETELL_EQUIVALENCE_COMMANDS", 400);
    let one = number("FORETELL_EQUIVALENCE_SEED", 0);
    let seeds = if one > 0 { one..=one } else { 1..=number("FORETELL_EQUIVALENCE_SEEDS", 8) };
    let histories = futures::stream::iter(seeds).map(async |seed| {
        // Whatever fails is shown with its seed.
        let history = AssertUnwindSafe(history::compare(seed as u64, commands)).catch_unwind().await;
        history
            .unwrap_or_else(|_| panic!("the history of FORETELL_EQUIVALENCE_SEED={seed} differs, see above"))
    });
    let tallies: Vec<Tally> = histories.buffer_unordered(AT_ONCE).collect().await;
    if tallies.len() * commands >= 3_000 {
        Tally::sum(tallies).check_variety();
    }
}

// On one thread, where a crowd that acts at once acts in its order.
#[tokio::test]
async fn a_settlement_of_several_sets_comes_to_the_same_on_every_store() {
    let clock = FakeClock::default();
    let mut all = Vec::new();
    for kind in Kind::ALL {
        let world = World::open(kind, 77, &clock).await;
        let known = crowd::settle(&world).await;
        all.push((kind, Books::read(&world, &known).await));
    }
    for (kind, books) in &all {
        books.check(*kind);
        books.check_same(*kind, &all[0].1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_at_once_keep_every_invariant_on_every_store() {
    for kind in Kind::ALL {
        for seed in 1..=2 {
            check_at_once(kind, seed).await;
        }
    }
}

/// Sends some hundreds of commands at once to two nodes, some of them twice, and then settles every market.
async fn check_at_once(kind: Kind, seed: u64) {
    let clock = FakeClock::default();
    let world = Arc::new(World::open(kind, seed, &clock).await);
    let mut known = Known::default();
    let mut chance = Chance::new(seed);
    // A history of its own first, so that there is something to trade, to pay with and to reverse.
    for _ in 0..120 {
        let step = known.next_step(&mut chance);
        known.learn(&step, &world.perform(&step).await);
    }
    let steps: Vec<Step> = (0..300).map(|_| known.next_step(&mut chance)).collect();
    let twice = steps.iter().filter(|step| !matches!(step.action, Action::Register(_))).step_by(3);
    let sent: Vec<Step> = steps.iter().chain(twice).cloned().collect();
    let tasks = sent.iter().enumerate().map(|(number, step)| {
        let (world, step) = (Arc::clone(&world), step.clone());
        tokio::spawn(async move { world.perform_on(number % 2, &step).await })
    });
    let answers: Vec<Answer> =
        join_all(tasks).await.into_iter().map(|answer| answer.expect("no command panics")).collect();
    for (step, answer) in sent.iter().zip(&answers) {
        known.learn(step, answer);
    }
    check_repetitions(kind, &sent, &answers);
    for market in known.undecided(&world).await {
        let step = known.decision(market, &mut chance);
        let settled = world.perform_on(chance.below(2), &step).await;
        assert!(settled.is_done, "{kind:?}, seed {seed}: {step:?} => {}", settled.text);
    }
    let housekeepers = world.nodes.clone().map(Housekeeper::start);
    eventually("every market is settled", async || world.is_settled().await.then_some(())).await;
    for housekeeper in housekeepers {
        housekeeper.stop().await;
    }
    Books::read(&world, &known).await.check(kind);
}

/// That all submissions of one key were told of one effect.
fn check_repetitions(kind: Kind, sent: &[Step], answers: &[Answer]) {
    let mut first = std::collections::HashMap::new();
    for (step, answer) in sent.iter().zip(answers) {
        let known = first.entry((step.caller.user.id, step.key.clone())).or_insert((step, answer));
        // Another command under the same key is told so; which of them came first, chance decides.
        // What has no key is done once, and then there is nothing to do it to.
        let is_keyed = !matches!(step.action, Action::Delete(_));
        let is_same = is_keyed && format!("{:?}", known.0.action) == format!("{:?}", step.action);
        assert!(
            !is_same || known.1.effect == answer.effect,
            "{kind:?}: {step:?} => {} and {}",
            known.1.text,
            answer.text,
        );
    }
}
