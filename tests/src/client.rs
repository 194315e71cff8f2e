//! HTTP client of the API: methods for tests, and responses that explain unexpected results.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::minor;

/// Timeout of a response; a test that reaches it fails.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Lifetime of an idle connection: shorter than the server's.
const IDLE: Duration = Duration::from_secs(30);

/// Password of every registered user, and of [`Server::admin`](crate::Server::admin).
pub const PASSWORD: &str = "correct horse battery";

/// Prefix of every route of the API.
const BASE: &str = "/api/v1";

/// A client of a server, signed in or not. Clones share the session.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    origin: String,
    /// Token of the session, if signed in.
    pub token: Option<String>,
    /// Id of the user; empty unless signed in.
    pub user_id: String,
    /// Account of the user; empty unless signed in.
    pub account_id: String,
    /// Id of the session; empty unless signed in.
    pub session_id: String,
}

impl Client {
    /// Creates an anonymous client, which keeps connections open.
    pub fn new(origin: &str) -> Self {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .pool_idle_timeout(IDLE)
            .no_proxy()
            .build()
            .unwrap();
        let [user_id, account_id, session_id] = [const { String::new() }; 3];
        Self { http, origin: origin.to_owned(), token: None, user_id, account_id, session_id }
    }

    /// Registers a user with the email address `name@example.org` and signs in.
    pub async fn register(self, name: &str) -> Self {
        let email = format!("{name}@example.org");
        let user = json!({"email": email, "name": name, "password": PASSWORD});
        self.post("/users", user).await.expect(201);
        self.log_in(&email, PASSWORD).await
    }

    /// Signs in, with separate connections.
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

    /// Returns the same user and session, for a server that moved.
    #[must_use]
    pub fn moved_to(&self, origin: &str) -> Self {
        Self { origin: origin.to_owned(), ..self.clone() }
    }

    /// Returns host and port of the server.
    pub fn address(&self) -> &str {
        self.origin.trim_start_matches("http://")
    }

    /// Creates a request to a path below the API's base, with the session's token; a path such as
    /// `/readyz` is used unchanged.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let base = if ["/livez", "/readyz", "/metrics", "/api/"]
            .iter()
            .any(|outside| path.starts_with(outside))
        {
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

    /// Sends GET.
    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    /// Sends GET; `None` if there is no response.
    pub async fn try_get(&self, path: &str) -> Option<Answer> {
        try_send(self.request(Method::GET, path)).await.ok()
    }

    /// Sends DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    /// Sends DELETE with a body.
    pub async fn delete_with(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::DELETE, path).json(&body)).await
    }

    /// Creates an API key with these scopes and returns it with its secret.
    pub async fn create_api_key(&self, scopes: &[&str]) -> Value {
        let body = json!({"name": "a key", "scopes": scopes, "password": PASSWORD});
        self.post("/api-keys", body).await.data(201)
    }

    /// Sends POST with a new idempotency key.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.post_once(path, &new_key(), body).await
    }

    /// Sends POST with this key.
    pub async fn post_once(&self, path: &str, key: &str, body: Value) -> Answer {
        self.try_post_once(path, key, body).await.unwrap()
    }

    /// Sends POST with this key, and returns an error if there is no response.
    pub async fn try_post_once(
        &self,
        path: &str,
        key: &str,
        body: Value,
    ) -> reqwest::Result<Answer> {
        try_send(self.request(Method::POST, path).header("Idempotency-Key", key).json(&body)).await
    }

    /// Creates a market with these options and equal probabilities.
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

    /// Makes a payment to another user's account.
    pub async fn pay(&self, to: &Self, amount: &str) -> Answer {
        let (from, to) = (&self.account_id, &to.account_id);
        self.post("/transfers", json!({"fromAccountId": from, "toAccountId": to, "amount": amount}))
            .await
    }

    /// Returns the balance of the user's account, in minor units.
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
        let counts =
            ["findings", "isSound", "sumOfBalances", "accounts", "transfers", "markets", "bets"];
        for (name, value) in report.as_object().unwrap() {
            assert!(counts.contains(&name.as_str()) || value == 0, "{name} in {report:#}");
        }
    }

    /// Returns the newest rows of a list, newest first; the list must not be growing.
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

    /// Reads all rows of a list, newest first, page by page.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        for page in 1.. {
            let answer = self.get(&format!("{path}?limit=100&page={page}")).await.expect(200);
            let total = answer.body["meta"]["pagination"]["total"].as_u64().unwrap();
            let new = answer.body["data"].as_array().unwrap();
            rows.extend(new.iter().cloned());
            if new.len() < 100 {
                assert_eq!(
                    rows.len() as u64,
                    total,
                    "the pages of {path} hold as many rows as they say"
                );
                break;
            }
        }
        rows
    }
}

/// Returns a request for a market with these options and equal probabilities.
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

/// Returns a new idempotency key.
pub fn new_key() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("test-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Returns a new client id.
pub fn new_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("01900000-0000-7000-8000-{count:012x}")
}

/// Returns a time in the form that clients send.
pub fn seconds_from_now(seconds: i64) -> String {
    let time = OffsetDateTime::now_utc() + time::Duration::seconds(seconds);
    time.format(&Rfc3339).unwrap()
}

/// Returns the text in a JSON value.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// Sends a request and reads the whole response.
pub async fn send(request: RequestBuilder) -> Answer {
    try_send(request).await.unwrap()
}

async fn try_send(request: RequestBuilder) -> reqwest::Result<Answer> {
    let (http, request) = request.build_split();
    let request = request?;
    let asked = format!("{} {}", request.method(), request.url());
    let again = request.try_clone();
    let mut response = http.execute(request).await?;
    // The server closed a connection that was opened early and still unused, just when this request
    // was sent, unread.
    if let Some(again) = again.filter(|_| is_given_up(&response)) {
        response = http.execute(again).await?;
    }
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await?;
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Ok(Answer { asked, status, headers, body })
}

/// Returns `true` if this is not a response to a request: those of the server have a body.
fn is_given_up(response: &Response) -> bool {
    response.status() == StatusCode::REQUEST_TIMEOUT && response.content_length() == Some(0)
}

/// A response, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The request.
    pub asked: String,
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body: JSON, or plain text.
    pub body: Value,
}

impl Answer {
    /// Returns the response if it has this status, and fails otherwise.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} was answered {:#}", self.asked, self.body);
        self
    }

    /// Returns the data of a success with this status.
    #[track_caller]
    pub fn data(self, status: u16) -> Value {
        let mut answer = self.expect(status);
        assert_eq!(answer.body["success"], true, "{} was answered {:#}", answer.asked, answer.body);
        answer.body["data"].take()
    }

    /// Returns the response if it is an error with this status and code, in the form of all errors.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        let shown = || format!("{} was answered {:#}", answer.asked, answer.body);
        assert_eq!(answer.body["code"], code, "{}", shown());
        assert_eq!(answer.body["success"], false, "{}", shown());
        assert!(
            answer.body["error"].as_str().is_some_and(|sentence| !sentence.is_empty()),
            "{}",
            shown()
        );
        assert_eq!(answer.header("x-request-id"), answer.body["requestId"].as_str(), "{}", shown());
        answer
    }

    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Returns `true` if the response is the stored one to an earlier request with the same key.
    pub fn is_replay(&self) -> bool {
        self.header("idempotency-replayed") == Some("true")
    }

    /// Returns the field and the code of each validation error, in alphabetical order.
    #[track_caller]
    pub fn field_errors(&self) -> Vec<(String, String)> {
        let details = self.body["details"].as_array().unwrap_or_else(|| panic!("{:#}", self.body));
        let mut errors: Vec<_> =
            details.iter().map(|error| (text(&error["field"]), text(&error["code"]))).collect();
        errors.sort();
        errors
    }
}
