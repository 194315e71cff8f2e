//! Tests of markets over HTTP, from creation to settlement.

mod cached;
mod chart;
mod decisions;
mod deleting;
mod editing;
mod event_stream;
mod fees;
mod life;
mod listing;
mod opening;
mod orders;
mod repetition;
mod selection;
mod slippage;
mod walking;

use std::sync::atomic::{AtomicU64, Ordering};

use foretell_application::Caller;
use foretell_ports::ledger::AuditReport;
use serde_json::{Value, json};

use crate::support::{Call, TestApp, TestUser};

type Reply = <Call as IntoFuture>::Output;

/// End date of the markets of [`opening`]: six hours after the clock starts.
const END_DATE: &str = "2026-01-01T18:00:00Z";
pub(crate) const SECONDS_TO_END: i64 = 6 * 3_600;

/// A market as returned to its creator.
pub(crate) struct Opened {
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) options: Vec<String>,
    body: Value,
}

impl Opened {
    fn from_body(body: Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let options =
            body["options"].as_array().unwrap().iter().map(|option| text(&option["id"])).collect();
        let id = text(&body["id"]);
        Self { path: format!("/markets/{id}"), id, options, body }
    }

    pub(crate) fn at(&self, part: &str) -> String {
        format!("{}/{part}", self.path)
    }

    /// Reads the market anonymously.
    async fn read(&self, app: &TestApp) -> Value {
        app.get(&self.path).await.ok(200)
    }

    pub(crate) async fn bet(
        &self,
        app: &TestApp,
        user: &TestUser,
        option: usize,
        amount: &str,
    ) -> Value {
        let order = json!({ "optionId": self.options[option], "amount": amount });
        command(app, &self.at("bets"), user, &order).await.ok(201)
    }

    pub(crate) async fn sell(
        &self,
        app: &TestApp,
        user: &TestUser,
        option: usize,
        shares: &str,
    ) -> Value {
        let order = json!({ "optionId": self.options[option], "shares": shares });
        command(app, &self.at("sales"), user, &order).await.ok(201)
    }
}

/// Returns a valid request for a market of two equal options with a subsidy of 100.00: b is 100 /
/// ln 2.
fn opening() -> Value {
    json!({
        "name": "Will it rain on Friday?",
        "description": "As measured on the roof at noon.",
        "category": "politics",
        "endDate": END_DATE,
        "options": [{ "name": "Yes" }, { "name": "No" }],
        "subsidy": "100",
    })
}

/// Returns the same request with one field changed.
fn opening_with(field: &str, value: Value) -> Value {
    let mut body = opening();
    body[field] = value;
    body
}

pub(crate) async fn open(app: &TestApp, user: &TestUser) -> Opened {
    open_as(app, user, &opening()).await
}

async fn open_as(app: &TestApp, user: &TestUser, body: &Value) -> Opened {
    Opened::from_body(command(app, "/markets", user, body).await.ok(201))
}

/// Returns a new idempotency key.
fn fresh_key() -> String {
    static GIVEN: AtomicU64 = AtomicU64::new(0);
    format!("key-{}", GIVEN.fetch_add(1, Ordering::Relaxed))
}

/// Sends a command of this user under a new key.
pub(crate) async fn command(app: &TestApp, path: &str, user: &TestUser, body: &Value) -> Reply {
    app.post(path).by(user).key(&fresh_key()).json(body).await
}

async fn caller(app: &TestApp, user: &TestUser) -> Caller {
    (*app
        .application
        .identity
        .authenticate(&user.token, [192, 0, 2, 1].into())
        .await
        .unwrap()
        .unwrap())
    .clone()
}

/// Returns the balance of a user's account, in minor units.
async fn balance(app: &TestApp, user: &TestUser) -> i64 {
    let caller = caller(app, user).await;
    let details = app.application.ledger.get_account(&caller, user.account_id).await.unwrap();
    details.account.balance().minor()
}

/// Returns the audit of the ledger, which must be sound.
async fn audit(app: &TestApp) -> AuditReport {
    let report = app.application.queries.ledger.audit().await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    report
}

/// State that a rejected request must not change.
#[derive(Debug, PartialEq)]
struct Snapshot {
    market: Value,
    positions: Value,
    balances: Vec<i64>,
    ledger: AuditReport,
}

async fn snapshot(app: &TestApp, market: &Opened, users: &[&TestUser]) -> Snapshot {
    let mut balances = Vec::new();
    for user in users {
        balances.push(balance(app, user).await);
    }
    let positions = app.get(&market.at("positions")).await.ok(200);
    Snapshot { market: market.read(app).await, positions, balances, ledger: audit(app).await }
}

/// Returns the probabilities of a market, in the order of its options.
fn probabilities(market: &Value) -> Vec<f64> {
    let options = market["options"].as_array().unwrap();
    options.iter().map(|option| option["probability"].as_f64().unwrap()).collect()
}

fn assert_sum_to_one(probabilities: &[f64]) {
    let sum: f64 = probabilities.iter().sum();
    assert!((sum - 1.0).abs() < 1e-5, "{probabilities:?} sum to {sum}");
}
