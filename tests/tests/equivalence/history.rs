//! One history on all stores at once, compared after each step.

use std::collections::HashMap;

use foretell_domain::id::UserId;
use foretell_testkit::FakeClock;
use foretell_tests::Chance;
use futures::future::join_all;

use super::COMPARE_EVERY;
use super::action::{Answer, Step};
use super::books::Books;
use super::choice::pause_micros;
use super::coverage::Coverage;
use super::state::State;
use super::world::{Kind, World};

/// Text that marks a replayed result.
const REPLAYED: &str = "is_replay: true";
const FIRST: &str = "is_replay: false";

/// Performs these many random commands on every store, compares them, and returns a tally.
pub(super) async fn compare(seed: u64, commands: usize) -> Coverage {
    let clock = FakeClock::default();
    let worlds = Kind::ALL.map(|kind| World::open(kind, seed, &clock));
    let worlds = join_all(worlds).await;
    let (mut state, mut chance, mut coverage) =
        (State::default(), Chance::new(seed), Coverage::default());
    let mut replays = Replays::default();
    for number in 1..=commands {
        let step = state.next_step(&mut chance);
        let answers = join_all(worlds.iter().map(|world| world.perform(&step))).await;
        for (world, answer) in worlds.iter().zip(&answers) {
            assert_eq!(
                answer.text, answers[0].text,
                "seed {seed}, command {number} on {:?} and in memory: {step:?}",
                world.kind
            );
            let sum = world.sum_of_balances().await;
            assert_eq!(sum, 0, "seed {seed}, command {number} on {:?}: {step:?}", world.kind);
        }
        replays.check(&step, &answers[0]);
        state.learn(&step, &answers[0]);
        coverage.count(&step, &answers[0]);
        if number % COMPARE_EVERY == 0 || number == commands {
            compare_books(&worlds, &state).await;
        }
        clock.advance_micros(pause_micros(&mut chance));
    }
    coverage.count_kinds(&worlds[0], &state).await;
    coverage
}

async fn compare_books(worlds: &[World], state: &State) {
    let books = join_all(worlds.iter().map(|world| Books::read(world, state))).await;
    for (world, of_world) in worlds.iter().zip(&books) {
        of_world.check(world.kind);
        of_world.check_same(world.kind, &books[0]);
    }
}

/// First result of each key.
#[derive(Default)]
struct Replays(HashMap<(UserId, String), String>);

impl Replays {
    /// Checks that a replayed result equals the first one exactly.
    fn check(&mut self, step: &Step, answer: &Answer) {
        let key = (step.caller.user.id, step.key.clone());
        if answer.text.contains(REPLAYED) {
            let first = self.0.get(&key).expect("a repetition of something");
            assert_eq!(&answer.text.replace(REPLAYED, FIRST), first, "{step:?}");
        } else if answer.text.contains(FIRST) {
            self.0.insert(key, answer.text.clone());
        }
    }
}
