//! Tests of many concurrent clients on the same few accounts and one market: nothing is lost, and
//! the result has a serial order.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use std::collections::{BTreeMap, BTreeSet};

use foretell_tests::{
    Answer, Chance, Client, Database, Replay, Server, market, minor, money, on_each_database, text,
};
use futures::future::join_all;
use serde_json::Value;

on_each_database!(concurrent_clients_lose_nothing);

const USERS: usize = 6;
const CLIENTS: usize = 64;
const REQUESTS_EACH: usize = 32;
const OPTIONS: [&str; 3] = ["Yes", "No", "Neither"];

/// Settings for a slow machine: timeouts are not the subject of this test.
const PATIENT: [(&str, &str); 2] =
    [("FORETELL__WRITER__MAX_WAIT_MS", "60000"), ("FORETELL__DATABASE__WAIT_MS", "60000")];

/// Errors that concurrent clients may get.
const REFUSALS: [&str; 3] = ["INSUFFICIENT_FUNDS", "INSUFFICIENT_SHARES", "TRADE_TOO_SMALL"];

/// Acknowledged commands.
#[derive(Debug, Default)]
struct Totals {
    /// Gain of each account, in minor units.
    changes: BTreeMap<String, i64>,
    bets: BTreeSet<String>,
    refusals: usize,
}

impl Totals {
    fn add(&mut self, account: &str, minor: i64) {
        *self.changes.entry(account.to_owned()).or_default() += minor;
    }

    fn merge(mut self, other: Self) -> Self {
        for (account, change) in other.changes {
            self.add(&account, change);
        }
        let known = self.bets.len() + other.bets.len();
        self.bets.extend(other.bets);
        assert_eq!(self.bets.len(), known, "no two bets have one id");
        self.refusals += other.refusals;
        self
    }
}

async fn concurrent_clients_lose_nothing(database: Database) {
    let server = Server::start_with(database, &PATIENT).await;
    let names: Vec<_> = (0..USERS).map(|n| format!("user{n}")).collect();
    let users = join_all(names.iter().map(|name| server.register(name))).await;
    let sent = market(&OPTIONS, "100.00");
    let opened = users[0].post("/markets", sent.clone()).await.data(201);
    let mut before = BTreeMap::new();
    for user in &users {
        before.insert(user.account_id.clone(), user.balance().await);
    }

    let tasks = (0..CLIENTS).map(|n| tokio::spawn(trade(n, users.clone(), opened.clone())));
    let tallies = join_all(tasks).await.into_iter().map(Result::unwrap);
    let totals = tallies.fold(Totals::default(), Totals::merge);
    assert!(
        totals.bets.len() > CLIENTS * REQUESTS_EACH / 3,
        "most are done: {} are",
        totals.bets.len()
    );

    for user in &users {
        let expected = before[&user.account_id] + totals.changes[&user.account_id];
        assert_eq!(
            money(user.balance().await),
            money(expected),
            "the balance of {}",
            user.account_id
        );
    }
    let id = text(&opened["id"]);
    let mut bets = users[0].all(&format!("/markets/{id}/bets")).await;
    bets.reverse();
    let stored: BTreeSet<_> = bets.iter().map(|bet| text(&bet["id"])).collect();
    let differing: Vec<_> = stored.symmetric_difference(&totals.bets).collect();
    assert!(
        differing.is_empty(),
        "the stored bets are the acknowledged ones, but for {differing:?}"
    );

    let mut replay = Replay::new(&sent, &opened, &users.iter().collect::<Vec<_>>());
    replay.apply_all(&bets);
    replay.check_market(&users[0].get(&format!("/markets/{id}")).await.data(200));
    server.admin().await.check_audit().await;
}

/// Bets, sells and pays as one of the users, and records acknowledged commands.
async fn trade(number: usize, users: Vec<Client>, market: Value) -> Totals {
    let mut chance = Chance::new(number as u64);
    let user = &users[number % USERS];
    let mut totals = Totals::default();
    for _ in 0..REQUESTS_EACH {
        let amount = money(1 + i64::try_from(chance.below(2_000)).unwrap());
        let option = chance.below(OPTIONS.len());
        match chance.below(10) {
            0..5 => {
                let answer = user.bet(&market, option, &amount).await;
                note_trade(&mut totals, user, answer, -1);
            }
            5..7 => {
                let shares = if chance.below(4) == 0 { "all" } else { &amount };
                let answer = user.sell(&market, option, shares).await;
                note_trade(&mut totals, user, answer, 1);
            }
            _ => {
                let to = &users[(number + 1 + chance.below(USERS - 1)) % USERS];
                if let Some(paid) = done(&mut totals, user.pay(to, &amount).await) {
                    totals.add(&user.account_id, -minor(&paid["amount"]));
                    totals.add(&to.account_id, minor(&paid["amount"]));
                }
            }
        }
    }
    totals
}

fn note_trade(totals: &mut Totals, user: &Client, answer: Answer, sign: i64) {
    if let Some(bet) = done(totals, answer) {
        totals.add(&user.account_id, sign * minor(&bet["amount"]));
        totals.bets.insert(text(&bet["id"]));
    }
}

/// Returns the data of a success; `None` for an allowed error.
fn done(totals: &mut Totals, answer: Answer) -> Option<Value> {
    if answer.status == 201 {
        return Some(answer.data(201));
    }
    let code = answer.body["code"].as_str().unwrap_or_default().to_owned();
    assert!(REFUSALS.contains(&code.as_str()), "{} was answered {:#}", answer.asked, answer.body);
    answer.refused(409, &code);
    totals.refusals += 1;
    None
}
