//! A user of the API over HTTP: the verbs that the tests need, and answers that say why they are not as expected.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::minor;

/// How long an answer may take; a test that runs into it fails.
const TIMEOUT: Duration = Duration::from_mins(1);

/// How long a connection is kept for a next request: less than the server keeps it.
const IDLE: Duration = Duration::from_secs(30);

/// The password of everyone who registers, and of [`Server::admin`](crate::Server::admin).
pub const PASSWORD: &str = "correct horse battery";

/// What the path of every route of the API begins with.
const BASE: &str = "/api/v1";

/// One who talks to a server, signed in or not. Clones share the session.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    origin: String,
    /// The session's token, if signed in.
    pub token: Option<String>,
    /// The user's id; empty unless signed in.
    pub user_id: String,
    /// The user's account; empty unless signed in.
    pub account_id: String,
    /// The session's id; empty unless signed in.
    pub session_id: String,
}

impl Client {
    /// Someone who is not signed in. Answers are waited for, connections kept.
    pub fn new(origin: &str) -> Self {
        let http =
            reqwest::Client::builder().timeout(TIMEOUT).pool_idle_timeout(IDLE).no_proxy().build().unwrap();
        let [user_id, account_id, session_id] = [const { String::new() }; 3];
        Self { http, origin: origin.to_owned(), token: None, user_id, account_id, session_id }
    }

    /// Registers a user with the mail address `name@example.org` and signs in.
    pub async fn register(self, name: &str) -> Self {
        let email = format!("{name}@example.org");
        let user = json!({"email": email, "name": name, "password": PASSWORD});
        self.post("/users", user).await.expect(201);
        self.log_in(&email, PASSWORD).await
    }

    /// Signs in with connections of its own.
    pub async fn log_in(&self, email: &str, password: &str) -> Self {
        let mut client = Self::new(&self.origin);
        let credentials = json!({"email": email, "password": password});
        let session = client.post("/sessions", credentials).await.data(201);
        client.token = Some(text(&session["token"]));
        client.session_id = text(&session["id"]);
        client.user_id = text(&session["user"]["id"]);
        client.account_id = text(&client.get("/accounts").await.data(200)[0]["id"]);
        client
    }

    /// The same user on the same session, at a server that moved.
    #[must_use]
    pub fn moved_to(&self, origin: &str) -> Self {
        Self { origin: origin.to_owned(), ..self.clone() }
    }

    /// Host and port of the server.
    pub fn address(&self) -> &str {
        self.origin.trim_start_matches("http://")
    }

    /// A request to a path below the API's base, with the session's token; a path such as `/readyz` is taken
    /// as it is.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let base =
            if ["/livez", "/readyz", "/metrics", "/api/"].iter().any(|outside| path.starts_with(outside)) {
                ""
            } else {
                BASE
            };
        let request = self.http.request(method, format!("{}{base}{path}", self.origin));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    /// GET, or nothing if no answer comes.
    pub async fn try_get(&self, path: &str) -> Option<Answer> {
        try_send(self.request(Method::GET, path)).await.ok()
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    /// DELETE with a body.
    pub async fn delete_with(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::DELETE, path).json(&body)).await
    }

    /// Creates an API key with these scopes and returns it with its secret.
    pub async fn create_api_key(&self, scopes: &[&str]) -> Value {
        let body = json!({"name": "a key", "scopes": scopes, "password": PASSWORD});
        self.post("/api-keys", body).await.data(201)
    }

    /// POST with a key of its own.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.post_once(path, &new_key(), body).await
    }

    /// POST under this key.
    pub async fn post_once(&self, path: &str, key: &str, body: Value) -> Answer {
        self.try_post_once(path, key, body).await.unwrap()
    }

    /// POST under this key, or the error if no answer comes.
    pub async fn try_post_once(&self, path: &str, key: &str, body: Value) -> reqwest::Result<Answer> {
        try_send(self.request(Method::POST, path).header("Idempotency-Key", key).json(&body)).await
    }

    /// Opens a market on these options with equal probabilities.
    pub async fn open_market(&self, options: &[&str], subsidy: &str) -> Value {
        self.post("/markets", market(options, subsidy)).await.data(201)
    }

    /// Bets money, such as `"12.50"`, on the option at `index`.
    pub async fn bet(&self, market: &Value, index: usize, amount: &str) -> Answer {
        let body = json!({"optionId": market["options"][index]["id"], "amount": amount});
        self.post(&format!("/markets/{}/bets", text(&market["id"])), body).await
    }

    /// Sells shares, such as `"3.00"` or `"all"`, of the option at `index`.
    pub async fn sell(&self, market: &Value, index: usize, shares: &str) -> Answer {
        let body = json!({"optionId": market["options"][index]["id"], "shares": shares});
        self.post(&format!("/markets/{}/sales", text(&market["id"])), body).await
    }

    /// Pays to another user's account.
    pub async fn pay(&self, to: &Self, amount: &str) -> Answer {
        let (from, to) = (&self.account_id, &to.account_id);
        self.post("/transfers", json!({"fromAccountId": from, "toAccountId": to, "amount": amount})).await
    }

    /// What the user's account holds, in minor units.
    pub async fn balance(&self) -> i64 {
        let account = self.get(&format!("/accounts/{}", self.account_id)).await.data(200);
        minor(&account["balance"])
    }

    /// Checks, as an admin, that every invariant of the ledger holds.
    pub async fn check_audit(&self) {
        let report = self.get("/ledger/audit").await.data(200);
        assert_eq!(report["isSound"], true, "{report:#}");
        assert_eq!(report["sumOfBalances"], "0.00", "{report:#}");
        assert_eq!(report["findings"], json!([]), "{report:#}");
        let counts = ["findings", "isSound", "sumOfBalances", "accounts", "transfers", "markets", "bets"];
        for (name, value) in report.as_object().unwrap() {
            assert!(counts.contains(&name.as_str()) || value == 0, "{name} in {report:#}");
        }
    }

    /// The newest rows of a list, newest first; nobody may be adding to it.
    pub async fn newest(&self, path: &str, count: usize) -> Vec<Value> {
        let mut rows = Vec::new();
        for page in 1.. {
            if rows.len() >= count {
                break;
            }
            let read = self.get(&format!("{path}?limit=100&page={page}")).await.data(200);
            let read = read.as_array().unwrap();
            assert!(!read.is_empty(), "{path} has {count} rows: {rows:#?}");
            rows.extend(read.iter().cloned());
        }
        rows.truncate(count);
        rows
    }

    /// All rows of a list, newest first, read page by page.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        for page in 1.. {
            let answer = self.get(&format!("{path}?limit=100&page={page}")).await.expect(200);
            let total = answer.body["meta"]["pagination"]["total"].as_u64().unwrap();
            let new = answer.body["data"].as_array().unwrap();
            rows.extend(new.iter().cloned());
            if new.len() < 100 {
                assert_eq!(rows.len() as u64, total, "the pages of {path} hold as many rows as they say");
                break;
            }
        }
        rows
    }
}

/// A market with these options and equal probabilities, as a client sends it.
pub fn market(options: &[&str], subsidy: &str) -> Value {
    let options: Vec<_> = options.iter().map(|name| json!({"name": name})).collect();
    json!({
        "name": "Will it rain tomorrow?",
        "description": "Decided by the gauge on the roof at noon.",
        "category": "politics",
        "endDate": "2100-01-01T00:00:00Z",
        "options": options,
        "subsidy": subsidy,
    })
}

/// A key that no other request has.
pub fn new_key() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("test-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// An id that a client chooses.
pub fn new_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("01900000-0000-7000-8000-{count:012x}")
}

/// A time as clients write it.
pub fn seconds_from_now(seconds: i64) -> String {
    let time = OffsetDateTime::now_utc() + time::Duration::seconds(seconds);
    time.format(&Rfc3339).unwrap()
}

/// The text in a JSON value.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// Sends a request and reads the whole answer.
pub async fn send(request: RequestBuilder) -> Answer {
    try_send(request).await.unwrap()
}

async fn try_send(request: RequestBuilder) -> reqwest::Result<Answer> {
    let (http, request) = request.build_split();
    let request = request?;
    let asked = format!("{} {}", request.method(), request.url());
    let again = request.try_clone();
    let mut response = http.execute(request).await?;
    // A connection that was opened ahead was given up for want of a request just as this one was sent on it, unread.
    if let Some(again) = again.filter(|_| is_given_up(&response)) {
        response = http.execute(again).await?;
    }
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await?;
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Ok(Answer { asked, status, headers, body })
}

/// Whether this is not an answer to a request: those of ours have a body.
fn is_given_up(response: &Response) -> bool {
    response.status() == StatusCode::REQUEST_TIMEOUT && response.content_length() == Some(0)
}

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What it answers.
    pub asked: String,
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body: JSON, or the text as it is.
    pub body: Value,
}

impl Answer {
    /// The same, provided that it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} was answered {:#}", self.asked, self.body);
        self
    }

    /// The data of a success with this status.
    #[track_caller]
    pub fn data(self, status: u16) -> Value {
        let mut answer = self.expect(status);
        assert_eq!(answer.body["success"], true, "{} was answered {:#}", answer.asked, answer.body);
        answer.body["data"].take()
    }

    /// The same, provided that it is a failure with this status and code, in the form of all failures.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        let shown = || format!("{} was answered {:#}", answer.asked, answer.body);
        assert_eq!(answer.body["code"], code, "{}", shown());
        assert_eq!(answer.body["success"], false, "{}", shown());
        assert!(answer.body["error"].as_str().is_some_and(|sentence| !sentence.is_empty()), "{}", shown());
        assert_eq!(answer.header("x-request-id"), answer.body["requestId"].as_str(), "{}", shown());
        answer
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Whether the answer is the stored one to an earlier request with the same key.
    pub fn is_replay(&self) -> bool {
        self.header("idempotency-replayed") == Some("true")
    }

    /// The field and the code of each fault, in alphabetical order.
    #[track_caller]
    pub fn faults(&self) -> Vec<(String, String)> {
        let details = self.body["details"].as_array().unwrap_or_else(|| panic!("{:#}", self.body));
        let mut faults: Vec<_> =
            details.iter().map(|fault| (text(&fault["field"]), text(&fault["code"]))).collect();
        faults.sort();
        faults
    }
}
