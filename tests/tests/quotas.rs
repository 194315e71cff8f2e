//! Tests of quotas with the real program, also with two concurrent nodes on one database.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use foretell_tests::{
    Answer, Client, Database, Home, Server, market, new_key, on_each_database, send, text,
};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

on_each_database!(quotas_are_enforced, quotas_hold_for_concurrent_requests);

const SMALL: [(&str, &str); 8] = [
    ("FORETELL__QUOTAS__PUBLISHED_POSTS", "2"),
    ("FORETELL__QUOTAS__DRAFTS", "2"),
    ("FORETELL__QUOTAS__COMMENTS", "2"),
    ("FORETELL__QUOTAS__OPEN_MARKETS", "2"),
    ("FORETELL__QUOTAS__API_KEYS", "2"),
    ("FORETELL__QUOTAS__SESSIONS", "2"),
    ("FORETELL__QUOTAS__MIN_SUBSIDY", "5"),
    // Concurrent requests for API keys whose passwords are being verified count as attempts.
    ("FORETELL__AUTH__LOGIN_ATTEMPTS_PER_ACCOUNT", "1000"),
];

const PASSWORD: &str = "correct horse battery";

fn post(published: bool) -> Value {
    json!({ "title": "On rain", "content": "It may rain.", "published": published })
}

/// Returns a quota, and a request for one more resource.
fn requests(subject: &str) -> [(&'static str, String, Value); 5] {
    let key = json!({ "name": "bot", "scopes": ["read"], "password": PASSWORD });
    [
        ("publishedPosts", "/posts".to_owned(), post(true)),
        ("drafts", "/posts".to_owned(), post(false)),
        ("comments", format!("/posts/{subject}/comments"), json!({ "content": "Why?" })),
        ("openMarkets", "/markets".to_owned(), market(&["Yes", "No"], "5")),
        ("apiKeys", "/api-keys".to_owned(), key),
    ]
}

fn check_exceeded(answer: Answer, quota: &str) {
    let answer = answer.refused(409, "QUOTA_EXCEEDED");
    assert_eq!(answer.body["details"], json!({ "quota": quota, "limit": 2 }), "{}", answer.body);
    assert!(text(&answer.body["error"]).starts_with("A user has at most 2 "), "{}", answer.body);
}

async fn quotas_are_enforced(database: Database) {
    let server = Server::start_with(database, &SMALL).await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let subject = text(&ben.post("/posts", post(true)).await.data(201)["id"]);
    for (quota, path, body) in requests(&subject) {
        let first = ada.post(&path, body.clone()).await.data(201);
        ada.post(&path, body.clone()).await.expect(201);
        check_exceeded(ada.post(&path, body.clone()).await, quota);
        // Deleting one frees room for another.
        let made = match quota {
            "comments" => format!("/comments/{}", text(&first["id"])),
            _ => format!("{path}/{}", text(&first["id"])),
        };
        ada.delete(&made).await.expect(204);
        ada.post(&path, body.clone()).await.expect(201);
        check_exceeded(ada.post(&path, body).await, quota);
    }
    let draft = text(&ada.get("/posts?status=draft&limit=1").await.body["data"][0]["id"]);
    let publish =
        ada.request(Method::PATCH, &format!("/posts/{draft}")).json(&json!({ "published": true }));
    check_exceeded(send(publish).await, "publishedPosts");
    let small =
        ben.post("/markets", market(&["Yes", "No"], "4.99")).await.refused(400, "VALIDATION_ERROR");
    let error = &small.body["details"][0];
    assert_eq!(
        (&error["field"], &error["code"]),
        (&json!("subsidy"), &json!("range")),
        "{}",
        small.body
    );
    assert_eq!(error["message"], "must be at least 5.00");
    server.admin().await.check_audit().await;
}

/// Starts two nodes if the database allows it; otherwise returns the same node twice.
async fn nodes(database: Database) -> (Vec<Server>, Vec<String>) {
    let home = Home::new(database);
    let url = home.database_url().map(str::to_owned);
    let mut servers = vec![Server::start_in(home, &SMALL).await];
    if let Some(url) = &url {
        let settings: Vec<_> = SMALL.into_iter().chain([("DATABASE_URL", url.as_str())]).collect();
        servers.push(Server::start_with(Database::Sqlite, &settings).await);
    }
    let origins = servers.iter().cycle().take(2).map(|server| server.origin().to_owned()).collect();
    (servers, origins)
}

async fn quotas_hold_for_concurrent_requests(database: Database) {
    let (servers, origins) = nodes(database).await;
    let (ada, ben) = (servers[0].register("ada").await, servers[0].register("ben").await);
    let subject = text(&ben.post("/posts", post(true)).await.data(201)["id"]);
    let adas: Vec<Client> = origins.iter().map(|origin| ada.moved_to(origin)).collect();
    for (quota, path, body) in requests(&subject) {
        let attempts = (0..24).map(|number| {
            let (client, key) = (&adas[number % 2], new_key());
            let (path, body) = (path.clone(), body.clone());
            async move { client.post_once(&path, &key, body).await }
        });
        let answers = join_all(attempts).await;
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(
            made,
            2,
            "{quota}: {:?}",
            answers.iter().map(|answer| answer.status).collect::<Vec<_>>()
        );
        for answer in answers {
            if answer.status != 201 {
                check_exceeded(answer, quota);
            }
        }
    }
    let sign_ins = (0..12).map(|number| {
        let client = Client::new(&origins[number % 2]);
        async move {
            let body = json!({ "email": "ben@example.org", "password": PASSWORD });
            client.post("/sessions", body).await.data(201)
        }
    });
    join_all(sign_ins).await;
    let ben = Client::new(&origins[0]).log_in("ben@example.org", PASSWORD).await;
    let sessions = ben.get("/sessions").await.expect(200);
    assert_eq!(sessions.body["meta"]["pagination"]["total"], 2, "{}", sessions.body);
    servers[0].admin().await.check_audit().await;
}
