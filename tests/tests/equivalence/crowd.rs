//! A market with more holders than one set of a settlement.

use foretell_application::TradeTarget;
use foretell_application::writer::Decision;
use foretell_domain::market::{BuyOrder, HOLDERS_PER_SET, MarketRecord};
use foretell_domain::money::Amount;
use foretell_domain::user::Role;
use foretell_testkit::clock::START;
use foretell_tests::Chance;
use futures::future::join_all;

use super::action::{Action, Step};
use super::state::State;
use super::world::World;

/// Registers a crowd, places its bets, and decides the market by a split; the same in every world.
pub(super) async fn settle(world: &World) -> State {
    let (mut state, mut chance) = (State::default(), Chance::new(5));
    let admin = state.registering(Role::Admin, &mut chance);
    perform_all(world, &mut state, vec![admin]).await;
    let crowd =
        (0..HOLDERS_PER_SET + 40).map(|_| state.registering(Role::User, &mut chance)).collect();
    perform_all(world, &mut state, crowd).await;
    let mut opening = state.opening(&mut chance);
    if let Action::Open(said) = &mut opening.action {
        (said.subsidy, said.ends_at) = (Amount::new(5_000).unwrap(), START.plus_seconds(60));
        said.probabilities.fill(None);
    }
    perform_all(world, &mut state, vec![opening]).await;
    let market = state.markets[0].clone();
    let bets = (1..state.users.len()).map(|number| bet(&state, &market, number)).collect();
    perform_all(world, &mut state, bets).await;
    let parts = market.options.iter().map(|option| option.id).zip([3_333, 6_667]).collect();
    let action = Action::Decide(market.id, Decision::Split(parts));
    let decision = Step { caller: state.users[0].clone(), key: "decide".to_owned(), action };
    perform_all(world, &mut state, vec![decision]).await;
    assert!(
        world.is_settled().await,
        "{:?}: a small market is settled within the request",
        world.kind
    );
    state
}

/// Returns the bet of the user with this number.
fn bet(state: &State, market: &MarketRecord, number: usize) -> Step {
    let option_id = market.options[number % market.options.len()].id;
    let amount = Amount::new(50 + i64::try_from(number % 13).unwrap()).unwrap();
    let order = BuyOrder { option_id, amount, min_shares: None, max_price: None };
    let target = TradeTarget { market_id: market.id, client_id: None };
    Step {
        caller: state.users[number].clone(),
        key: "bet".to_owned(),
        action: Action::Bet(target, order),
    }
}

/// Performs independent steps concurrently: one lane executes them in order.
async fn perform_all(world: &World, state: &mut State, steps: Vec<Step>) {
    let answers = join_all(steps.iter().map(|step| world.perform(step))).await;
    for (step, answer) in steps.iter().zip(&answers) {
        assert!(answer.is_done, "{step:?} => {}", answer.text);
        state.learn(step, answer);
    }
}
