//! Tests of paths in other spellings: only the matched route decides about a request.

use std::time::Duration;

use actix_web::http::Method;
use foretell_application::RequestLimits;
use foretell_ports::rate_limit::Budget;
use serde_json::json;

use crate::support::{PASSWORD, Reply, TestApp, contract};

const ID: &str = "019a0000-0000-7000-8000-00000000000a";

async fn limited_app() -> TestApp {
    let budget = Some(Budget { quota: 1_000_000, window: Duration::from_hours(24) });
    TestApp::start_with_limits(RequestLimits {
        read: budget,
        write: budget,
        log_in: budget,
        invalid_tokens: None,
    })
    .await
}

/// Returns the path with each of its characters percent-encoded, one at a time and all together.
fn encodings(path: &str) -> Vec<String> {
    let encoded = |byte: u8| format!("%{byte:02X}");
    let id = path.find(ID).map_or(0..0, |start| start + 1..start + ID.len());
    // The slashes stay: encoded ones do not separate segments. One character of an id is enough.
    let mut encodings: Vec<_> = path
        .bytes()
        .enumerate()
        .filter(|(at, byte)| *byte != b'/' && !id.contains(at))
        .map(|(at, byte)| format!("{}{}{}", &path[..at], encoded(byte), &path[at + 1..]))
        .collect();
    let all: String =
        path.bytes().map(|b| if b == b'/' { "/".to_owned() } else { encoded(b) }).collect();
    encodings.extend([all.to_ascii_lowercase(), all]);
    encodings
}

/// Returns other texts that a careless comparison could take for the path.
fn imitations(path: &str) -> Vec<String> {
    vec![
        format!("{path}/"),
        format!("/{path}"),
        path.replacen("/v1/", "//v1/", 1),
        path.replacen("/v1/", "/v1//", 1),
        path.replacen("/v1/", "/v1/./", 1),
        path.replacen("/v1/", "/v1/x/../", 1),
        path.replacen("/v1", "/v1;v=2", 1),
        path.replacen("/v1", "/V1", 1),
        format!("{path};a=b"),
        format!("{path}%2F"),
        path.replacen("/v1/", "/v1%2F", 1),
        path.replacen("/v1", "%2Fv1", 1),
        format!("{path}%3F"),
        format!("{path}%00"),
    ]
}

fn bucket(reply: &Reply) -> &str {
    reply.header("RateLimit-Policy")
}

fn is_no_route(reply: &Reply) -> bool {
    reply.status == 404 && reply.json()["error"] == "Route not found"
}

#[actix_web::test]
async fn spellings_of_route_share_rate_limit() {
    let app = limited_app().await;
    let mut spellings = 0;
    for (method, pattern, _) in contract::operations() {
        let path = pattern.replace("{id}", ID);
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let plain = app.call(method.clone(), &format!("/{path}")).await;
        for other in encodings(&path) {
            let reply = app.call(method.clone(), &format!("/{other}")).await;
            let is_same = (reply.status, bucket(&reply)) == (plain.status, bucket(&plain));
            assert!(is_same || is_no_route(&reply), "{plain}\n{reply}");
            spellings += u32::from(is_same);
        }
        for other in imitations(&path) {
            let reply = app.call(method.clone(), &format!("/{other}")).await;
            // Text appended to an id makes it invalid, or matches another route.
            let is_other = reply.status == 405 || is_no_route(&reply);
            assert!(bucket(&reply) == bucket(&plain) || is_other, "{plain}\n{reply}");
        }
    }
    assert!(spellings > 1_000, "only {spellings} spellings were served");
}

#[actix_web::test]
async fn route_and_method_determine_bucket() {
    let app = limited_app().await;
    for (method, path, kind) in [
        (Method::POST, "/api/v1/sess%69ons", "login"),
        (Method::POST, "/api/v1/u%73ers", "login"),
        (Method::POST, "/api/v2/%75sers", "login"),
        (Method::POST, "/%61pi/v1/me/passwor%64", "login"),
        (Method::GET, "/api/v1/sess%69ons", "read"),
        (Method::HEAD, "/api/v1/sess%69ons", "read"),
        (Method::OPTIONS, "/api/v1/sess%69ons", "read"),
        (Method::PUT, "/api/v1/sess%69ons", "write"),
        (Method::POST, "/api/v1/sessions/", "write"),
        (Method::POST, "/api/v1/posts", "write"),
        (Method::GET, "/api/v1/nowhere", "read"),
        (Method::GET, "/%6Civez", ""),
        (Method::GET, "/readyz", ""),
    ] {
        let reply = app.call(method, &format!("/{path}")).await;
        let name = bucket(&reply).split(';').next().unwrap().trim_matches('"');
        assert_eq!(name, kind, "{reply}");
    }
}

#[actix_web::test]
async fn spellings_of_version_have_equal_pagination() {
    let app = TestApp::start().await;
    for path in ["/api/v1/markets", "/api/%761/markets", "/%61pi/v%31/markets", "/api/v1/m%61rkets"]
    {
        let meta = &app.call(Method::GET, &format!("/{path}")).await.json()["meta"];
        assert_eq!(meta["pagination"]["page"], 1, "{path}: {meta}");
    }
    for path in ["/api/v2/markets", "/api/%762/markets", "/api/v%32/markets"] {
        let meta = &app.call(Method::GET, &format!("/{path}")).await.json()["meta"];
        assert!(meta["page"].is_object(), "{path}: {meta}");
    }
}

#[actix_web::test]
async fn location_keeps_the_base_in_every_spelling() {
    let app = TestApp::start().await;
    for (number, (path, base)) in [
        ("/api/v1/u%73ers", "/api/v1"),
        ("/api/%761/users", "/api/v1"),
        ("/%61pi/v%32/users", "/api/v2"),
    ]
    .into_iter()
    .enumerate()
    {
        let body =
            json!({ "email": format!("u{number}@example.org"), "name": "U", "password": PASSWORD });
        let reply = app.call(Method::POST, &format!("/{path}")).json(&body).await;
        let id = reply.ok(201)["id"].as_str().unwrap().to_owned();
        assert_eq!(reply.header("Location"), format!("{base}/users/{id}"), "{path}");
    }
}

#[actix_web::test]
async fn cursor_is_valid_in_every_spelling() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let ben = app.user("ben").await;
    let payment =
        json!({ "fromAccountId": ada.account_id, "toAccountId": ben.account_id, "amount": 1 });
    app.post("/transfers").by(&ada).key("1").json(&payment).await.ok(201);
    let plain = format!("//api/v2/accounts/{}/transfers?limit=1", ada.account_id);
    let id = ada.account_id.to_string().to_uppercase();
    let other = format!("//api/%762/acc%6Funts/{id}/transfers?limit=1");
    for (path, same) in [(&plain, &other), (&other, &plain)] {
        let reply = app.get(path).by(&ada).await;
        let next = reply.json()["meta"]["page"]["next"].as_str().unwrap().to_owned();
        app.get(&format!("{same}&cursor={next}")).by(&ada).await.ok(200);
    }
}
