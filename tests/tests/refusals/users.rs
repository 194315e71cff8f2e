//! Rejections of registrations, sessions and profiles.

use foretell_tests::{Database, on_each_database, send};
use reqwest::Method;
use serde_json::json;

use super::fixture::{Fixture, UNKNOWN, ask, post};

on_each_database!(invalid_registrations_and_sessions_are_rejected, sessions_end);

async fn invalid_registrations_and_sessions_are_rejected(database: Database) {
    let fixture = Fixture::new(database).await;
    let (nobody, ada) = (&fixture.nobody, &fixture.ada);
    let user = |field: &str, value: serde_json::Value| {
        let mut body =
            json!({"email": "new@example.org", "name": "New", "password": "long enough"});
        body[field] = value;
        post(nobody, "/users", body)
    };
    let long = |count: usize| json!("x".repeat(count));
    fixture
        .check(vec![
            post(nobody, "/users", json!({})).has(&[
                ("email", "required"),
                ("name", "required"),
                ("password", "required"),
            ]),
            post(
                nobody,
                "/users",
                json!({"email": "no", "name": "", "password": "short", "avatar": "ftp://x", "role": "ADMIN"}),
            )
            .has(&[
                ("email", "format"),
                ("name", "length"),
                ("password", "length"),
                ("avatar", "format"),
                ("role", "unknown_field"),
            ]),
            user("email", json!(5)).has(&[("email", "type")]),
            user("email", json!(format!("{}@x", "x".repeat(253)))).has(&[("email", "length")]),
            user("email", json!("a b@example.org")).has(&[("email", "format")]),
            user("name", long(51)).has(&[("name", "length")]),
            user("name", json!("   ")).has(&[("name", "format")]),
            user("name", json!("a\u{0}b")).has(&[("name", "format")]),
            user("name", json!(null)).has(&[("name", "required")]),
            user("password", long(129)).has(&[("password", "length")]),
            user("password", json!(12_345_678)).has(&[("password", "type")]),
            user("avatar", json!(format!("https://{}", "x".repeat(500)))).has(&[("avatar", "length")]),
            user("email", json!("ada@example.org")).is(409, "DUPLICATE"),
            user("email", json!("ADA@Example.ORG")).is(409, "DUPLICATE"),
            post(nobody, "/users", json!([])).has(&[("", "type")]),
            post(nobody, "/sessions", json!({})).has(&[("email", "required"), ("password", "required")]),
            post(nobody, "/sessions", json!({"email": "ada", "password": [], "remember": true})).has(&[
                ("email", "format"),
                ("password", "type"),
                ("remember", "unknown_field"),
            ]),
            post(nobody, "/sessions", json!({"email": "ada@example.org", "password": "wrong password"}))
                .is(401, "UNAUTHORIZED"),
            post(nobody, "/sessions", json!({"email": "who@example.org", "password": "wrong password"}))
                .is(401, "UNAUTHORIZED"),
            ask(nobody, "DELETE /sessions/current").is(401, "UNAUTHORIZED"),
            ask(ada, &format!("DELETE /sessions/{UNKNOWN}")).is(404, "NOT_FOUND"),
            ask(ada, "DELETE /sessions/mine").has(&[("id", "format")]),
            ask(nobody, "GET /me").is(401, "UNAUTHORIZED"),
            ask(ada, "GET /me?fields=id").has(&[("fields", "unknown_field")]),
        ])
        .await;
}

async fn sessions_end(database: Database) {
    let fixture = Fixture::new(database).await;
    let (ada, password) = (&fixture.ada, "correct horse battery");
    let second = ada.log_in("ada@example.org", password).await;

    // Another user's session is not found, and stays valid.
    let third = ada.log_in("ada@example.org", password).await;
    let path = format!("/sessions/{}", third.session_id);
    fixture.ben.delete(&path).await.refused(404, "NOT_FOUND");
    third.get("/me").await.expect(200);
    ada.delete(&path).await.expect(204);
    third.get("/me").await.refused(401, "UNAUTHORIZED");
    ada.delete(&path).await.refused(404, "NOT_FOUND");

    second.delete("/sessions/current").await.expect(204);
    second.get("/me").await.refused(401, "UNAUTHORIZED");
    ada.get("/me").await.expect(200);

    let token = ada.token.clone().unwrap();
    let with =
        |name: &str, value: String| fixture.nobody.request(Method::GET, "/me").header(name, value);
    send(with("Authorization", format!("bearer {token}"))).await.expect(200);
    send(with("Cookie", format!("foretell_session={token}"))).await.expect(200);
    for header in
        [format!("Basic {token}"), token.clone(), "Bearer".to_owned(), format!("Bearer {token}x")]
    {
        let answer = send(with("Authorization", header)).await.refused(401, "UNAUTHORIZED");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    // An invalid header is not replaced by a cookie.
    let both = with("Authorization", "Bearer x".to_owned())
        .header("Cookie", format!("foretell_session={token}"));
    send(both).await.refused(401, "UNAUTHORIZED");
}
