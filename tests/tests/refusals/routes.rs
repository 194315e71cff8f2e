//! Unknown paths, unsupported methods, and the form of every error.

use foretell_tests::{Database, new_key, on_each_database, send};
use reqwest::Method;
use serde_json::json;

use super::fixture::{Fixture, UNKNOWN};

on_each_database!(
    unknown_paths_and_methods_are_rejected,
    unknown_parameters_are_rejected_everywhere
);

/// Returns every path with its methods.
fn served() -> Vec<(String, &'static str)> {
    let id = UNKNOWN;
    vec![
        ("/users".to_owned(), "GET, HEAD, POST"),
        (format!("/users/{id}"), "GET, HEAD, PATCH, DELETE"),
        ("/sessions".to_owned(), "GET, HEAD, POST"),
        (format!("/sessions/{id}"), "DELETE"),
        ("/api-keys".to_owned(), "GET, HEAD, POST"),
        (format!("/api-keys/{id}"), "DELETE"),
        ("/me".to_owned(), "GET, HEAD, PATCH"),
        ("/me/password".to_owned(), "POST"),
        ("/me/bets".to_owned(), "GET, HEAD"),
        ("/me/positions".to_owned(), "GET, HEAD"),
        ("/accounts".to_owned(), "GET, HEAD"),
        (format!("/accounts/{id}"), "GET, HEAD"),
        (format!("/accounts/{id}/transfers"), "GET, HEAD"),
        ("/transfers".to_owned(), "POST"),
        ("/transfers/batch".to_owned(), "POST"),
        (format!("/transfers/{id}"), "GET, HEAD"),
        (format!("/transfers/{id}/reversal"), "POST"),
        ("/mints".to_owned(), "POST"),
        ("/ledger/audit".to_owned(), "GET, HEAD"),
        ("/markets".to_owned(), "GET, HEAD, POST"),
        (format!("/markets/{id}"), "GET, HEAD, PATCH, DELETE"),
        (format!("/markets/{id}/quotes"), "POST"),
        (format!("/markets/{id}/bets"), "GET, HEAD, POST"),
        (format!("/markets/{id}/sales"), "POST"),
        (format!("/markets/{id}/positions"), "GET, HEAD"),
        (format!("/markets/{id}/prices"), "GET, HEAD"),
        (format!("/markets/{id}/close"), "POST"),
        (format!("/markets/{id}/resolution"), "GET, HEAD, POST"),
        (format!("/markets/{id}/cancellation"), "POST"),
        (format!("/bets/{id}"), "GET, HEAD"),
        ("/leaderboard".to_owned(), "GET, HEAD"),
        ("/posts".to_owned(), "GET, HEAD, POST"),
        (format!("/posts/{id}"), "GET, HEAD, PATCH, DELETE"),
        (format!("/posts/{id}/comments"), "GET, HEAD, POST"),
        (format!("/markets/{id}/comments"), "GET, HEAD, POST"),
        (format!("/comments/{id}"), "GET, HEAD, PATCH, DELETE"),
        ("/tags".to_owned(), "GET, HEAD"),
        ("/livez".to_owned(), "GET, HEAD"),
        ("/readyz".to_owned(), "GET, HEAD"),
    ]
}

async fn unknown_paths_and_methods_are_rejected(database: Database) {
    let fixture = Fixture::new(database).await;
    let ada = &fixture.ada;
    for path in [
        "/nowhere",
        "/markets/search/deeper/down",
        "/api/v3/markets",
        "/api",
        "/marketsx",
        "/markets/",
    ] {
        ada.get(path).await.refused(404, "NOT_FOUND");
    }
    for (path, allow) in served() {
        for method in [Method::PUT, Method::PATCH, Method::DELETE, Method::POST, Method::GET] {
            if !allow.split(", ").any(|served| served == method.as_str()) {
                let request = ada.request(method, &path);
                let answer = send(request).await.refused(405, "METHOD_NOT_ALLOWED");
                assert_eq!(answer.header("allow"), Some(allow), "{path}");
            }
        }
    }
    check_forms(&fixture).await;
    fixture.check(Vec::new()).await;
}

async fn unknown_parameters_are_rejected_everywhere(database: Database) {
    let fixture = Fixture::new(database).await;
    let mut wrong = Vec::new();
    for (path, allow) in served().into_iter().filter(|(path, _)| !path.ends_with('z')) {
        for method in allow.split(", ").filter(|method| *method != "HEAD") {
            let request = fixture.admin.request(method.parse().unwrap(), &format!("{path}?odd=1"));
            let request = if ["POST", "PATCH"].contains(&method) {
                request.json(&json!({}))
            } else {
                request
            };
            let has_body = matches!(method, "POST" | "PATCH");
            let request = if has_body { request.json(&json!({})) } else { request };
            let answer = send(request.header("Idempotency-Key", new_key())).await;
            let details = answer.body["details"].as_array();
            let is_told =
                details.is_some_and(|errors| errors.iter().any(|error| error["field"] == "odd"));
            if answer.status != 400 || !is_told {
                wrong.push(format!("{method} {path}?odd=1 was answered {}", answer.body));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    fixture.check(Vec::new()).await;
}

/// Checks errors in the form that the client accepts, with the id of its request.
async fn check_forms(fixture: &Fixture) {
    let ask = |path: &str| fixture.nobody.request(Method::GET, path);
    let answer =
        send(ask("/nowhere").header("X-Request-Id", "my_Id-17")).await.refused(404, "NOT_FOUND");
    assert_eq!(answer.body["requestId"], "my_Id-17");
    for odd in ["with space", "quote\"", &"x".repeat(65)] {
        let answer =
            send(ask("/nowhere").header("X-Request-Id", odd)).await.refused(404, "NOT_FOUND");
        assert_ne!(answer.body["requestId"], odd, "another id is made");
    }
    let request = ask("/markets?page=0").header("Accept", "application/problem+json");
    let problem = send(request).await.expect(400);
    assert_eq!(problem.header("content-type"), Some("application/problem+json"));
    assert_eq!(
        (&problem.body["status"], &problem.body["code"]),
        (&json!(400), &json!("VALIDATION_ERROR"))
    );
    assert_eq!(problem.body["errors"][0]["field"], "page");
    assert!(
        problem.body["success"].is_null() && problem.body["title"].is_string(),
        "{:#}",
        problem.body
    );

    let head = fixture.nobody.request(Method::HEAD, &format!("/markets/{UNKNOWN}"));
    assert_eq!(send(head).await.expect(404).body, json!(""), "HEAD has no body");
}
