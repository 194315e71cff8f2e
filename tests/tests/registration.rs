//! Attacks on registrations.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use foretell_tests::{Client, Database, PASSWORD, Server, on_each_database};
use serde_json::json;

on_each_database!(email_address_gets_one_grant);

async fn register(server: &Server, email: &str) -> Client {
    let user = json!({ "email": email, "name": "Eve", "password": PASSWORD });
    server.client().post("/users", user).await.data(201);
    server.client().log_in(email, PASSWORD).await
}

/// One address collected 12 grants in a second: register, pay the grant on, delete oneself, and
/// register again.
async fn email_address_gets_one_grant(database: Database) {
    let server = Server::start(database).await;
    let (admin, ben) = (server.admin().await, server.register("ben").await);
    let before = ben.balance().await;
    let spellings = [
        "eve@bücher.example",
        "EVE@BÜCHER.example",
        "Eve@xn--bcher-kva.example",
        "eve@bücher.example",
    ];
    for (round, email) in spellings.into_iter().enumerate() {
        let eve = register(&server, email).await;
        let grant = eve.balance().await;
        assert_eq!(grant, if round == 0 { 100_000 } else { 0 }, "{email}");
        if grant > 0 {
            eve.pay(&ben, "1000.00").await.data(201);
        }
        let path = format!("/users/{}", eve.user_id);
        eve.delete_with(&path, json!({ "password": PASSWORD })).await.expect(204);
    }
    assert_eq!(ben.balance().await - before, 100_000);
    assert_eq!(register(&server, "mallory@example.org").await.balance().await, 100_000);
    let stored = "SELECT COUNT(*) AS count FROM signup_grants WHERE length(email_hash) = 32";
    assert_eq!(server.home().count(stored), 4, "one for each address, erased or not");
    admin.check_audit().await;
}
