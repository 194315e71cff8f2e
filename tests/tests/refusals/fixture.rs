//! Users, accounts and markets for rejected requests, and the check that nothing changes.

use foretell_tests::{
    Answer, Client, Database, Home, Server, eventually, new_id, new_key, seconds_from_now, send,
    text,
};
use reqwest::Method;
use serde_json::{Value, json};

/// An id that does not exist.
pub(super) const UNKNOWN: &str = "01900000-0000-7000-8000-ffffffffffff";
/// The treasury, which no user can pay into.
pub(super) const TREASURY: &str = "00000000-0000-7000-8000-000000000001";

/// A server with an admin, three users and markets in every state.
pub(super) struct Fixture {
    /// Stopped with the fixture.
    _server: Server,
    pub(super) nobody: Client,
    pub(super) admin: Client,
    /// Created all markets.
    pub(super) ada: Client,
    /// Holds shares of each market's first option.
    pub(super) ben: Client,
    /// Has spent everything.
    pub(super) cleo: Client,
    pub(super) open: Value,
    pub(super) closed: Value,
    /// Its end date has passed, and it was not closed.
    pub(super) ended: Value,
    pub(super) resolved: Value,
    /// A payment from Ben to Cleo, who no longer has the money; Ben chose a client id for it.
    pub(super) spent: Value,
    /// A payment that was reversed.
    pub(super) reversed: Value,
    /// Ben's bet on the open market; Ben chose a client id for it.
    pub(super) bet: Value,
    before: Vec<Value>,
}

impl Fixture {
    pub(super) async fn new(database: Database) -> Self {
        // Jobs would close the market whose end date passes.
        let server = Server::start_without_worker(Home::new(database), &[]).await;
        let admin = server.admin().await;
        let [ada, ben, cleo] = [
            server.register("ada").await,
            server.register("ben").await,
            server.register("cleo").await,
        ];
        let spent = pay(&ben, &cleo, "100.00").await;
        pay(&cleo, &ada, "1100.00").await;
        let reversed = pay(&ben, &ada, "7.00").await;
        admin
            .post(&format!("/transfers/{}/reversal", text(&reversed["id"])), json!({}))
            .await
            .expect(201);

        let open = ada.open_market(&["Yes", "No"], "100.00").await;
        let bet =
            json!({"clientId": new_id(), "optionId": open["options"][0]["id"], "amount": "50.00"});
        let bet = ben.post(&format!("/markets/{}/bets", text(&open["id"])), bet).await.data(201);
        let closed = open_with_bet(&ada, &ben).await;
        ada.post(&format!("/markets/{}/close", text(&closed["id"])), json!({})).await.expect(200);
        let resolved = open_with_bet(&ada, &ben).await;
        let winner = json!({"optionId": resolved["options"][0]["id"]});
        ada.post(&format!("/markets/{}/resolution", text(&resolved["id"])), winner)
            .await
            .expect(200);
        let ended = end(&ada).await;

        let nobody = server.client();
        let before = Vec::new();
        let mut fixture = Self {
            _server: server,
            nobody,
            admin,
            ada,
            ben,
            cleo,
            open,
            closed,
            ended,
            resolved,
            spent,
            reversed,
            bet,
            before,
        };
        fixture.before = fixture.look().await;
        fixture
    }

    /// Returns everything that a rejected request might have changed: accounts, markets, bets and
    /// the counts of all rows.
    async fn look(&self) -> Vec<Value> {
        let mut accounts = vec![TREASURY.to_owned()];
        accounts.extend(
            [&self.ada, &self.ben, &self.cleo, &self.admin].map(|user| user.account_id.clone()),
        );
        accounts.extend(
            [&self.open, &self.closed, &self.ended, &self.resolved]
                .map(|market| text(&market["id"])),
        );
        let mut seen = Vec::new();
        for account in accounts {
            seen.push(self.admin.get(&format!("/accounts/{account}")).await.data(200));
        }
        seen.extend(self.admin.all("/markets").await);
        seen.extend(self.admin.all(&format!("/markets/{}/bets", text(&self.open["id"]))).await);
        seen.extend(
            self.admin.all(&format!("/markets/{}/positions", text(&self.open["id"]))).await,
        );
        seen.push(self.admin.get("/ledger/audit").await.data(200));
        seen
    }

    /// Sends all requests and checks each response, then that nothing has changed.
    pub(super) async fn check(&self, cases: Vec<Case<'_>>) {
        let mut wrong = Vec::new();
        for case in cases {
            let asked = format!(
                "{} {} {}",
                case.method,
                case.path,
                case.body.as_ref().unwrap_or(&Value::Null)
            );
            let expected = (case.status, case.code.clone(), case.details.clone());
            let answer = case.send().await;
            let is_plain = answer.body["success"] == false && answer.body["error"].is_string();
            let found = (answer.status, code_of(&answer), details_of(&answer));
            if found != expected || !is_plain {
                wrong.push(format!(
                    "{asked}\n  expected {expected:?}\n  was answered {}",
                    answer.body
                ));
            }
        }
        assert!(
            wrong.is_empty(),
            "{} answers are not as expected:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
        for (before, after) in self.before.iter().zip(self.look().await) {
            assert_eq!(*before, after, "a refusal changes nothing");
        }
    }

    /// Returns the path of a market, such as `self.of(&self.open, "/bets")`.
    pub(super) fn of(market: &Value, rest: &str) -> String {
        format!("/markets/{}{rest}", text(&market["id"]))
    }
}

async fn pay(from: &Client, to: &Client, amount: &str) -> Value {
    let body = json!({
        "clientId": new_id(), "fromAccountId": from.account_id, "toAccountId": to.account_id,
        "amount": amount,
    });
    from.post("/transfers", body).await.data(201)
}

async fn open_with_bet(creator: &Client, trader: &Client) -> Value {
    let market = creator.open_market(&["Yes", "No"], "10.00").await;
    trader.bet(&market, 0, "5.00").await.expect(201);
    market
}

/// Returns a market whose end date has passed.
async fn end(creator: &Client) -> Value {
    let mut body = foretell_tests::market(&["Yes", "No"], "10.00");
    // On a slow machine the date may have passed before the market is created, which is rejected.
    let ended = eventually("a market to be opened shortly before its end", async || {
        body["endDate"] = json!(seconds_from_now(1));
        let answer = creator.post("/markets", body.clone()).await;
        (answer.status == 201).then(|| answer.data(201))
    })
    .await;
    let path = Fixture::of(&ended, "");
    eventually("the market's end date to pass", async || {
        (creator.get(&path).await.data(200)["status"] == "closed").then_some(())
    })
    .await;
    ended
}

/// A request and the error that it must get.
pub(super) struct Case<'a> {
    who: &'a Client,
    method: Method,
    path: String,
    body: Option<Value>,
    status: u16,
    code: String,
    details: Value,
}

/// Creates a request such as `GET /accounts`, without a body.
pub(super) fn ask<'a>(who: &'a Client, request: &str) -> Case<'a> {
    let (method, path) = request.split_once(' ').unwrap();
    let (method, path, code) = (method.parse().unwrap(), path.to_owned(), String::new());
    Case { who, method, path, body: None, status: 0, code, details: Value::Null }
}

/// Creates a POST request with a body and a new key.
pub(super) fn post<'a>(who: &'a Client, path: &str, body: Value) -> Case<'a> {
    Case { body: Some(body), ..ask(who, &format!("POST {path}")) }
}

impl Case<'_> {
    /// Expects this status and code, without details.
    pub(super) fn is(self, status: u16, code: &str) -> Self {
        self.says(status, code, Value::Null)
    }

    /// Expects this status and code with these details.
    pub(super) fn says(self, status: u16, code: &str, details: Value) -> Self {
        Self { status, code: code.to_owned(), details, ..self }
    }

    /// Expects exactly these validation errors, each a field and a code, in any order.
    pub(super) fn has(self, errors: &[(&str, &str)]) -> Self {
        let mut errors: Vec<_> =
            errors.iter().map(|(field, code)| format!("{field}: {code}")).collect();
        errors.sort();
        self.says(400, "VALIDATION_ERROR", json!(errors))
    }

    async fn send(self) -> Answer {
        let mut request = self.who.request(self.method.clone(), &self.path);
        if self.method == Method::POST {
            request = request.header("Idempotency-Key", new_key());
        }
        if let Some(body) = &self.body {
            request = request.json(body);
        }
        send(request).await
    }
}

fn code_of(answer: &Answer) -> String {
    answer.body["code"].as_str().unwrap_or_default().to_owned()
}

/// Returns the details, each validation error as one text, in alphabetical order.
fn details_of(answer: &Answer) -> Value {
    let details = &answer.body["details"];
    let Some(errors) = details.as_array() else { return details.clone() };
    let told = |error: &Value| error["message"].as_str().is_some_and(|message| !message.is_empty());
    assert!(errors.iter().all(told), "each error says what is wrong: {details:#}");
    let mut errors: Vec<_> = errors
        .iter()
        .map(|error| format!("{}: {}", text(&error["field"]), text(&error["code"])))
        .collect();
    errors.sort();
    json!(errors)
}
