//! Tests that secrets sent through every route and in every failure appear in no response, no log
//! line, and no trace or error report.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use foretell_tests::{
    Answer, Client, Collector, Database, PASSWORD, Server, new_id, on_each_database, send, text,
};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

on_each_database!(secrets_are_neither_returned_nor_logged);

/// Secrets that only their owner may read.
struct Secrets {
    password: String,
    token: String,
    key: String,
}

impl Secrets {
    fn all(&self) -> [&str; 3] {
        [&self.password, &self.token, &self.key]
    }

    #[track_caller]
    fn check_absent_from(&self, place: &str, said: &str) {
        for secret in self.all() {
            assert!(!said.contains(secret), "{secret} is told in {place}: {said}");
        }
    }
}

async fn secrets_are_neither_returned_nor_logged(database: Database) {
    let collector = Collector::start().await;
    let mut settings = collector.settings();
    settings.push(("FORETELL__LOG__FILTER", "trace"));
    settings.push(("FORETELL__AUTH__LOGIN_ATTEMPTS_PER_ACCOUNT", "10000"));
    let mut server = Server::start_with(database, &settings).await;
    let ada = server.register("ada").await;
    let key = text(&ada.create_api_key(&["read", "trade", "manage"]).await["secret"]);
    let secrets = Secrets { password: PASSWORD.to_owned(), token: ada.token.clone().unwrap(), key };
    let mut routes = documented_routes();
    assert!(routes.len() > 50, "{routes:?}");
    routes.push((Method::GET, "/api/v1/nowhere/{id}/at-all".to_owned()));
    let mut answered = 0;
    for (method, path) in &routes {
        for request in requests(&ada, &secrets, (method, path)) {
            let answer = send(request).await;
            assert!(answer.status < 500, "{answer:?}");
            secrets.check_absent_from(&format!("the answer to {method} {path}"), &shown(&answer));
            answered += 1;
        }
    }
    server.client().get("/livez").await.expect(200);
    let log = server.log();
    assert!(log.lines().filter(|line| line.contains("request_id")).count() >= answered, "{log}");
    for line in log.lines() {
        secrets.check_absent_from("the log", line);
    }
    server.stop_cleanly().await;
    let sent = collector.received("/").await.concat();
    assert!(sent.contains("GET /api/v1/markets/{id}"), "{sent}");
    secrets.check_absent_from("what was sent", &sent);
    assert!(!sent.contains("ada@example.org"), "{sent}");
}

fn shown(answer: &Answer) -> String {
    format!("{:?} {}", answer.headers, answer.body)
}

/// Returns every method and path of the document.
fn documented_routes() -> Vec<(Method, String)> {
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
    let document: Value =
        serde_json::from_str(&std::fs::read_to_string(document).unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let methods = paths.flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(move |method| (method, path))
    });
    let known = methods.filter_map(|(method, path)| {
        let method = ["get", "post", "patch", "delete"].iter().find(|known| *known == method)?;
        Some((method.to_uppercase().parse().unwrap(), path.clone()))
    });
    known.collect()
}

/// Returns invalid requests to one route, each with secrets in it.
fn requests(
    ada: &Client,
    secrets: &Secrets,
    (method, path): (&Method, &str),
) -> Vec<RequestBuilder> {
    let mut stranger = ada.clone();
    stranger.token = None;
    let Secrets { password, token, key } = secrets;
    let of = |who: &Client, id: &str| {
        who.request(method.clone(), &path.replace("{id}", id)).header("Idempotency-Key", new_id())
    };
    let id = new_id();
    let mut requests = Vec::new();
    for secret in [password, token, key] {
        let basic = format!("Basic {secret}");
        requests.push(of(&stranger, &id).header(AUTHORIZATION, basic));
        requests.push(of(&stranger, &id).header(AUTHORIZATION, secret));
        requests.push(of(&stranger, &id).bearer_auth(format!("{secret}x")));
        requests.push(
            of(&stranger, &id)
                .header(COOKIE, format!("foretell_session={secret}"))
                .header("Origin", "null"),
        );
        requests.push(of(&stranger, &id).query(&[
            ("token", secret),
            ("limit", secret),
            ("page", secret),
            ("cursor", secret),
            ("at", secret),
        ]));
        requests.push(of(ada, &id).query(&[
            ("limit", secret),
            ("page", secret),
            ("cursor", secret),
            ("at", secret),
            ("sort", secret),
            ("fields", secret),
        ]));
        requests.push(of(ada, secret));
        for body in bodies(secret) {
            requests.push(of(ada, &id).header(CONTENT_TYPE, "application/json").body(body));
        }
        requests.push(of(ada, &id).header(CONTENT_TYPE, "text/plain").body(secret.clone()));
    }
    let refused = json!({"odd": 1}).to_string();
    requests.push(
        of(&stranger, &id)
            .bearer_auth(token)
            .header(CONTENT_TYPE, "application/json")
            .body(refused.clone()),
    );
    requests.push(
        of(&stranger, &id).bearer_auth(key).header(CONTENT_TYPE, "application/json").body(refused),
    );
    requests
}

/// Returns bodies with a secret in a wrong field, and in its own field beside an error.
fn bodies(secret: &str) -> Vec<String> {
    let everywhere = json!({
        "email": secret, "password": [secret], "currentPassword": secret, "newPassword": "short",
        "scopes": [secret], "role": secret, "status": secret, "amount": secret, "subsidy": secret,
        "shares": secret, "side": secret, "optionId": secret, "accountId": secret, "fromAccountId": secret,
        "toAccountId": secret, "mode": secret, "endDate": secret, "published": secret, "tags": secret,
        "expiresAt": secret, "options": [secret], "split": [{"basisPoints": secret}], "transfers": [secret],
        "force": secret, "content": [secret], "title": [secret], "name": {"is": secret}, "unknown": secret,
    });
    let credentials = json!({"email": "ada@example.org", "password": secret, "odd": secret});
    vec![
        everywhere.to_string(),
        credentials.to_string(),
        json!(secret).to_string(),
        json!([secret]).to_string(),
        format!("{{\"password\": \"{secret}\""),
        format!("{{\"password\": {secret}}}"),
        format!("password={secret}"),
    ]
}
