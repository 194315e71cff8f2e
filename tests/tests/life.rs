//! Tests of the life of markets over HTTP, from registration to payment, compared unit by unit with
//! the domain's rules.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use std::collections::BTreeMap;

use foretell_tests::{
    Client, Database, Replay, Server, market, minor, money, on_each_database, text,
};
use serde_json::{Value, json};

on_each_database!(
    winner_takes_the_pot,
    split_pays_each_option_its_part,
    cancellation_refunds_stakes,
    uncovered_cancellation_refunds_pro_rata,
    closed_market_rejects_trades,
    balances_are_known_for_any_time,
);

/// Three users and a market of the first.
struct Story {
    server: Server,
    /// An admin who does not trade, and so decides.
    judge: Client,
    people: [Client; 3],
    market: Value,
    replay: Replay,
}

impl Story {
    async fn begin(database: Database, subsidy: &str) -> Self {
        let server = Server::start(database).await;
        let people = [
            server.register("ada").await,
            server.register("ben").await,
            server.register("cleo").await,
        ];
        for person in &people {
            assert_eq!(money(person.balance().await), "1000.00", "the sign-up grant");
        }
        let mut sent = market(&["Yes", "No", "Neither"], subsidy);
        for (option, probability) in
            sent["options"].as_array_mut().unwrap().iter_mut().zip([0.5, 0.3, 0.2])
        {
            option["probability"] = json!(probability);
        }
        let market = people[0].post("/markets", sent.clone()).await.data(201);
        let left = 100_000 - minor(&market["subsidy"]);
        assert_eq!(people[0].balance().await, left, "the subsidy is the creator's");
        let replay = Replay::new(&sent, &market, &people.each_ref());
        replay.check_market(&market);
        let judge = server.admin().await;
        Self { server, judge, people, market, replay }
    }

    fn path(&self, rest: &str) -> String {
        format!("/markets/{}{rest}", text(&self.market["id"]))
    }

    fn option(&self, index: usize) -> &Value {
        &self.market["options"][index]["id"]
    }

    /// Bets after a quote, which must be exact.
    async fn bet(&mut self, person: usize, option: usize, amount: &str) -> Value {
        let body = json!({"optionId": self.option(option), "side": "buy", "amount": amount});
        let quote = self.people[person].post(&self.path("/quotes"), body).await.data(200);
        let made = self.people[person].bet(&self.market, option, amount).await.data(201);
        self.entered(person, &quote, &made).await;
        assert!(made["priceAfter"].as_f64() > made["priceBefore"].as_f64(), "{made:#}");
        made
    }

    /// Sells after a quote, which must be exact.
    async fn sell(&mut self, person: usize, option: usize, shares: &str) -> Value {
        let made = if shares == "all" {
            self.people[person].sell(&self.market, option, shares).await.data(201)
        } else {
            let body = json!({"optionId": self.option(option), "side": "sell", "shares": shares});
            let quote = self.people[person].post(&self.path("/quotes"), body).await.data(200);
            let made = self.people[person].sell(&self.market, option, shares).await.data(201);
            for field in ["amount", "shares", "fee", "averagePrice", "priceAfter"] {
                assert_eq!(made[field], quote[field], "{field}");
            }
            made
        };
        self.entered(person, &made, &made).await;
        assert!(made["priceAfter"].as_f64() < made["priceBefore"].as_f64(), "{made:#}");
        made
    }

    async fn entered(&mut self, person: usize, quote: &Value, made: &Value) {
        for field in [
            "optionId",
            "side",
            "amount",
            "shares",
            "fee",
            "averagePrice",
            "priceBefore",
            "priceAfter",
        ] {
            assert_eq!(made[field], quote[field], "a quote holds: {field}");
        }
        assert_eq!(minor(&made["balance"]), self.people[person].balance().await);
        self.replay.apply(made);
        let shown = self.people[0].get(&self.path("")).await.data(200);
        self.replay.check_market(&shown);
    }

    async fn balances(&self) -> BTreeMap<String, i64> {
        let mut balances = BTreeMap::new();
        for person in &self.people {
            balances.insert(person.account_id.clone(), person.balance().await);
        }
        balances
    }

    /// Decides the market; every payment must follow the domain's rules.
    async fn decide(&self, path: &str, body: Value, payouts: BTreeMap<String, i64>) {
        let mut expected = self.balances().await;
        for (account, paid) in payouts {
            *expected.entry(account).or_default() += paid;
        }
        self.judge.post(&self.path(path), body).await.expect(200);
        assert_eq!(self.balances().await, expected, "each is paid to the last unit");
        self.check_settlement().await;
        self.check_statements().await;
        self.check_ledger().await;
    }

    async fn check_settlement(&self) {
        let market = self.people[0].get(&self.path("")).await.data(200);
        let settlement = self.people[1].get(&self.path("/resolution")).await.data(200);
        assert_eq!(settlement["status"], market["status"]);
        assert_eq!(settlement["completed"], true, "{settlement:#}");
        assert_eq!(settlement["decidedBy"], self.judge.user_id.as_str());
        self.people[1].bet(&self.market, 0, "1.00").await.refused(409, "MARKET_CLOSED");
        let again = json!({"optionId": self.option(0)});
        self.people[0].post(&self.path("/resolution"), again).await.refused(409, "CONFLICT");
        self.people[0].post(&self.path("/cancellation"), json!({})).await.refused(409, "CONFLICT");
    }

    /// The rows of each account's statement sum to its balance.
    async fn check_statements(&self) {
        for person in &self.people {
            let account = format!("/accounts/{}", person.account_id);
            let rows = person.all(&format!("{account}/transfers")).await;
            let mut balance = 0;
            for row in rows.iter().rev() {
                balance += change(row);
                let own = if row["direction"] == "in" { &row["to"] } else { &row["from"] };
                assert_eq!(own["accountId"], person.account_id.as_str(), "{row:#}");
                assert_eq!(minor(&own["balance"]), balance, "{row:#}");
            }
            assert_eq!(balance, person.balance().await, "{rows:#?}");
            let shown = person.get(&account).await.data(200);
            assert_eq!(shown["version"], rows.len(), "each row has raised the version by one");
        }
    }

    async fn check_ledger(&self) {
        self.judge.check_audit().await;
        let audit = self.server.command("ledger audit").run().await.succeeded();
        assert!(audit.stdout.contains("the ledger is sound"), "{}", audit.stdout);
    }

    async fn trade(&mut self) {
        self.bet(1, 0, "50.00").await;
        self.bet(2, 1, "33.33").await;
        self.bet(0, 2, "10.00").await;
        self.bet(1, 0, "25.51").await;
        self.sell(1, 0, "20.00").await;
        self.bet(2, 0, "0.07").await;
        self.sell(2, 1, "all").await;
        self.bet(2, 1, "71.19").await;
        let bets = self.people[0].all(&self.path("/bets")).await;
        assert_eq!(bets.len(), 8);
        assert_eq!(bets[0]["sequence"], 8, "the newest comes first");
        assert!(
            bets.iter().all(|bet| bet["accountId"].is_null() && bet["balance"].is_null()),
            "that is private"
        );
    }
}

/// Returns the change of an account by a row of its statement, in minor units.
fn change(row: &Value) -> i64 {
    let amount = minor(&row["amount"]);
    if row["direction"] == "in" { amount } else { -amount }
}

async fn winner_takes_the_pot(database: Database) {
    let mut story = Story::begin(database, "100.00").await;
    story.trade().await;
    let payouts = story.replay.payouts(&[0, 10_000, 0]);
    assert!(
        payouts[&story.people[2].account_id] > 0
            && !payouts.contains_key(&story.people[1].account_id)
    );
    let winner = json!({"optionId": story.option(1)});
    story.decide("/resolution", winner, payouts).await;
}

async fn split_pays_each_option_its_part(database: Database) {
    let mut story = Story::begin(database, "100.00").await;
    story.trade().await;
    let payouts = story.replay.payouts(&[3_333, 6_667, 0]);
    let split = json!({"split": [
        {"optionId": story.option(1), "basisPoints": 6_667},
        {"optionId": story.option(0), "basisPoints": 3_333},
    ]});
    story.decide("/resolution", split, payouts).await;
}

async fn cancellation_refunds_stakes(database: Database) {
    let mut story = Story::begin(database, "100.00").await;
    story.trade().await;
    let refunds = story.replay.refunds();
    story.decide("/cancellation", json!({}), refunds).await;
    let [ada, ben, cleo] = &story.people;
    for person in [ada, ben, cleo] {
        assert_eq!(money(person.balance().await), "1000.00", "as if there had been no market");
    }
}

/// Two sellers take more profit than the subsidy, so that the pot holds less than the stakes.
async fn uncovered_cancellation_refunds_pro_rata(database: Database) {
    let mut story = Story::begin(database, "20.00").await;
    story.bet(1, 0, "20.00").await;
    story.bet(2, 0, "30.00").await;
    story.sell(1, 0, "all").await;
    story.bet(1, 1, "5.00").await;
    story.bet(0, 1, "60.00").await;
    story.sell(1, 1, "all").await;
    let refunds = story.replay.refunds();
    assert!(refunds[&story.people[2].account_id] < 3_000, "the stake does not come back in full");
    story.decide("/cancellation", json!({}), refunds).await;
}

async fn closed_market_rejects_trades(database: Database) {
    let mut story = Story::begin(database, "100.00").await;
    story.trade().await;
    let [ada, ben, _] = &story.people;
    let closed = ada.post(&story.path("/close"), json!({})).await.data(200);
    assert_eq!(closed["status"], "closed");
    ben.bet(&story.market, 0, "1.00").await.refused(409, "MARKET_CLOSED");
    ben.sell(&story.market, 0, "all").await.refused(409, "MARKET_CLOSED");
    ada.post(&story.path("/close"), json!({})).await.refused(409, "MARKET_CLOSED");
    ada.get(&story.path("/resolution")).await.refused(404, "NOT_FOUND");
    let payouts = story.replay.payouts(&[10_000, 0, 0]);
    let winner = json!({"optionId": story.option(0)});
    story.decide("/resolution", winner, payouts).await;
}

async fn balances_are_known_for_any_time(database: Database) {
    let mut story = Story::begin(database, "100.00").await;
    story.trade().await;
    let ben = &story.people[1];
    let account = format!("/accounts/{}", ben.account_id);
    let rows = ben.all(&format!("{account}/transfers")).await;
    let mut balance = 0;
    for row in rows.iter().rev() {
        balance += change(row);
        let then = ben.get(&format!("{account}?at={}", text(&row["createdAt"]))).await.data(200);
        assert_eq!(minor(&then["balance"]), balance, "{row:#}");
    }
    let before = ben.get(&format!("{account}?at=2020-01-01T00:00:00Z")).await.data(200);
    assert_eq!(before["balance"], "0.00");
}
