//! Micro-benchmarks of the domain rules and of one batch of the money writer, in memory: `cargo
//! bench -p foretell-bench`.
#![allow(clippy::expect_used, reason = "a benchmark that cannot be set up fails like a test")]

use std::sync::Arc;
use std::time::Duration;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use foretell::Foretell;
use foretell_application::writer::{Payment, WriterSettings};
use foretell_application::{Application, ApplicationSettings, Caller, Credential, Registration};
use foretell_domain::id::{AccountId, MarketId, OptionId, UserId};
use foretell_domain::market::{BuyOrder, Holding, Market, Opening};
use foretell_domain::money::{Amount, Balance};
use foretell_domain::probability::Probability;
use foretell_domain::text::{Email, UserName};
use foretell_domain::time::Timestamp;
use foretell_domain::user::Role;
use foretell_testkit::new_password;
use futures::future::join_all;
use tokio::runtime::Runtime;

/// Number of commands in a batch.
const BATCH: usize = 256;

const NOON: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
const SUBSIDY: i64 = 100_000;

fn main() {
    divan::main();
}

fn amount(minor: i64) -> Amount {
    Amount::new(minor).expect("it is above zero")
}

/// Returns a market with this many equally probable options.
fn market(options: u32) -> Market {
    let probability = Probability::new(1.0 / f64::from(options)).expect("it is between 0 and 1");
    let opening = Opening {
        id: MarketId::from_u128(1),
        creator_id: UserId::from_u128(1),
        creator_account_id: AccountId::from_u128(1),
        ends_at: NOON.plus_seconds(1),
        subsidy: amount(SUBSIDY),
        fee_bps: 100,
        options: (0..options).map(|n| (OptionId::from_u128(n.into()), Some(probability))).collect(),
    };
    Market::open(opening, NOON).expect("the opening is sound")
}

fn order() -> BuyOrder {
    BuyOrder {
        option_id: OptionId::from_u128(1),
        amount: amount(500),
        min_shares: None,
        max_price: None,
    }
}

/// Benchmarks a quote for a bet.
#[divan::bench(args = [2, 10])]
fn quote(bencher: Bencher<'_, '_>, options: u32) {
    let (market, order) = (market(options), order());
    let pot = Balance::from_minor(SUBSIDY);
    bencher.bench(|| black_box(&market).price_buy(black_box(&order), pot, NOON));
}

/// Benchmarks a purchase: its price, and the market and the holding after it.
#[divan::bench(args = [2, 10])]
fn buy(bencher: Bencher<'_, '_>, options: u32) {
    let (market, order) = (market(options), order());
    let holding =
        Holding::empty(market.id(), AccountId::from_u128(2), market.record().options.len());
    let (pot, pot_after) = (Balance::from_minor(SUBSIDY), Balance::from_minor(SUBSIDY + 500));
    bencher.with_inputs(|| (market.clone(), holding.clone())).bench_values(
        |(mut market, mut holding)| {
            let fill = market.price_buy(&order, pot, NOON).expect("it can be bought");
            market.record_fill(&fill, &mut holding, pot_after).expect("it is covered");
            (market, holding)
        },
    );
}

/// Benchmarks a batch of payments through the money writer, from the call to the response, with
/// storage in memory.
#[divan::bench]
fn batch_of_256_payments(bencher: Bencher<'_, '_>) {
    let runtime = Runtime::new().expect("threads can be started");
    let (application, [from, to]) = runtime.block_on(start());
    let mut next_key = 0;
    let keys = move || {
        next_key += BATCH;
        (next_key - BATCH..next_key).map(|key| key.to_string()).collect::<Vec<_>>()
    };
    bencher.counter(ItemsCount::new(BATCH)).with_inputs(keys).bench_local_values(|keys| {
        let payment = || Payment {
            client_id: None,
            from: from.account_id,
            to: to.account_id,
            amount: amount(1),
            memo: None,
        };
        let payments = keys.into_iter().map(|key| application.ledger.pay(&from, key, payment()));
        let answers = runtime.block_on(join_all(payments));
        assert!(
            answers
                .iter()
                .all(|answer| answer.as_ref().is_ok_and(|receipt| receipt.result.is_ok()))
        );
    });
}

/// Returns an application with storage in memory and two users.
async fn start() -> (Arc<Application>, [Caller; 2]) {
    let settings = ApplicationSettings {
        signup_grant: Some(amount(1_000_000_000_000)),
        session_trust: Duration::ZERO,
        writer: WriterSettings { max_wait: Duration::from_mins(1), ..WriterSettings::default() },
        ..ApplicationSettings::default()
    };
    let foretell = Foretell::builder().in_memory().fakes(1).settings(settings).build().await;
    let application = Arc::clone(foretell.expect("memory does not fail").application());
    let callers = [register(&application, "ada").await, register(&application, "ben").await];
    (application, callers)
}

async fn register(application: &Application, name: &str) -> Caller {
    let registration = Registration {
        email: Email::new(&format!("{name}@example.org")).expect("it is an address"),
        name: UserName::new(name).expect("it is a name"),
        password: new_password("correct horse"),
        avatar: None,
        role: Role::User,
    };
    let (user, registered) =
        application.identity.register_user(registration).await.expect("nobody has the address");
    let credential = Credential::Process;
    Caller { user, account_id: registered.account_id, credential }
}
