//! Tests of users over HTTP, on real storage: immediate changes, kept data, and deleted data.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use foretell_tests::{
    Answer, Client, Database, PASSWORD, Server, eventually, on_each_database, send, text,
};
use reqwest::Method;
use serde_json::{Value, json};

on_each_database!(
    key_is_valid_until_deleted,
    a_new_password_ends_the_other_sessions,
    stolen_session_neither_keeps_access_nor_guesses,
    new_password_revokes_keys_on_request,
    suspension_applies_immediately,
    deleted_user_leaves_the_ledger,
    guesses_are_limited,
    owner_under_attack_signs_in_after_restart,
    many_sessions_return_at_once_after_restart,
);

async fn patch(who: &Client, path: &str, body: Value) -> Answer {
    send(who.request(Method::PATCH, path).json(&body)).await
}

/// Returns the same user with a new API key of these scopes in place of the session.
async fn with_key(who: &Client, scopes: &[&str]) -> Client {
    let secret = text(&who.create_api_key(scopes).await["secret"]);
    assert!(secret.starts_with("ft_k_"), "{secret}");
    let mut client = who.clone();
    client.token = Some(secret);
    client
}

async fn log_in(server: &Server, email: &str, password: &str) -> Answer {
    server.client().post("/sessions", json!({"email": email, "password": password})).await
}

async fn key_is_valid_until_deleted(database: Database) {
    let server = Server::start(database).await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let (trader, reader) = (with_key(&ada, &["trade"]).await, with_key(&ada, &["read"]).await);
    trader.pay(&ben, "5.00").await.expect(201);
    trader.get("/accounts").await.refused(403, "FORBIDDEN");
    reader.get("/accounts").await.expect(200);
    reader.pay(&ben, "5.00").await.refused(403, "FORBIDDEN");
    let keys = ada.all("/api-keys").await;
    assert_eq!(
        keys.iter().map(|key| &key["scopes"]).collect::<Vec<_>>(),
        [&json!(["read"]), &json!(["trade"])]
    );
    eventually("the uses of both keys to be recorded", async || {
        ada.all("/api-keys").await.iter().all(|key| key["lastUsedAt"].is_string()).then_some(())
    })
    .await;
    let path = format!("/api-keys/{}", text(&keys[0]["id"]));
    ben.delete(&path).await.refused(404, "NOT_FOUND");
    ada.delete(&path).await.expect(204);
    reader.get("/accounts").await.refused(401, "UNAUTHORIZED");
    trader.pay(&ben, "5.00").await.expect(201);
    server.admin().await.check_audit().await;
}

async fn a_new_password_ends_the_other_sessions(database: Database) {
    let server = Server::start(database).await;
    let ada = server.register("ada").await;
    let second = ada.log_in("ada@example.org", PASSWORD).await;
    assert_eq!(second.all("/sessions").await.len(), 2);
    let body = json!({"currentPassword": PASSWORD, "newPassword": "another password"});
    assert_eq!(second.post("/me/password", body.clone()).await.data(200)["endedSessions"], 1);
    second.post("/me/password", body).await.refused(401, "UNAUTHORIZED");
    ada.get("/me").await.refused(401, "UNAUTHORIZED");
    let left = second.all("/sessions").await;
    assert_eq!((left.len(), &left[0]["isCurrent"]), (1, &json!(true)));
    log_in(&server, "ada@example.org", PASSWORD).await.refused(401, "UNAUTHORIZED");
    log_in(&server, "ada@example.org", "another password").await.expect(201);
}

async fn stolen_session_neither_keeps_access_nor_guesses(database: Database) {
    let server = Server::start(database).await;
    let stolen = server.register("ada").await;
    let asked = |password: &str| json!({"name": "mine", "scopes": ["trade"], "password": password});
    let own = format!("/users/{}", stolen.user_id);
    for number in 0..5 {
        let guess = format!("password number {number}");
        stolen.post("/api-keys", asked(&guess)).await.refused(401, "UNAUTHORIZED");
        stolen.delete_with(&own, json!({"password": guess})).await.refused(401, "UNAUTHORIZED");
    }
    stolen.post("/api-keys", asked(PASSWORD)).await.refused(429, "RATE_LIMITED");
    stolen.delete_with(&own, json!({"password": PASSWORD})).await.refused(429, "RATE_LIMITED");
    assert_eq!(stolen.all("/api-keys").await, [] as [Value; 0]);
}

async fn new_password_revokes_keys_on_request(database: Database) {
    let server = Server::start(database).await;
    let ada = server.register("ada").await;
    let key = with_key(&ada, &["read"]).await;
    key.get("/me").await.expect(200);
    let body = json!({"currentPassword": PASSWORD, "newPassword": "another password", "revokeApiKeys": true});
    let ended = ada.post("/me/password", body).await.data(200);
    assert_eq!(ended, json!({"endedSessions": 0, "revokedApiKeys": 1}));
    key.get("/me").await.refused(401, "UNAUTHORIZED");
    assert_eq!(ada.all("/api-keys").await, [] as [Value; 0]);
}

async fn suspension_applies_immediately(database: Database) {
    let server = Server::start(database).await;
    let (admin, ada) = (server.admin().await, server.register("ada").await);
    let key = with_key(&ada, &["read"]).await;
    let path = format!("/users/{}", ada.user_id);
    for _ in 0..3 {
        key.get("/me").await.expect(200);
        ada.get("/me").await.expect(200);
        patch(&admin, &path, json!({"status": "suspended"})).await.expect(200);
        key.get("/me").await.refused(401, "UNAUTHORIZED");
        ada.get("/me").await.refused(401, "UNAUTHORIZED");
        patch(&admin, &path, json!({"status": "active"})).await.expect(200);
    }
    patch(&admin, &path, json!({"role": "MODERATOR"})).await.expect(200);
    assert_eq!(ada.get("/me").await.data(200)["role"], "MODERATOR");
    let own = format!("/users/{}", admin.user_id);
    patch(&admin, &own, json!({"role": "USER"})).await.refused(409, "CONFLICT");
    admin.delete_with(&own, json!({"password": PASSWORD})).await.refused(409, "CONFLICT");
}

async fn deleted_user_leaves_the_ledger(database: Database) {
    let server = Server::start(database).await;
    let (admin, ada, ben) =
        (server.admin().await, server.register("ada").await, server.register("ben").await);
    let market = ada.open_market(&["Yes", "No"], "100.00").await;
    ada.bet(&market, 0, "10.00").await.data(201);
    let key = with_key(&ada, &["read"]).await;
    let path = format!("/users/{}", ada.user_id);
    let confirmed = json!({"password": PASSWORD});
    for other in [&ben, &key] {
        other.delete_with(&path, confirmed.clone()).await.refused(403, "FORBIDDEN");
    }
    ada.delete_with(&path, json!({})).await.refused(400, "VALIDATION_ERROR");
    ada.delete_with(&path, json!({"password": "a wrong one"})).await.refused(401, "UNAUTHORIZED");
    ada.get("/me").await.expect(200);
    ada.delete_with(&path, confirmed).await.expect(204);
    for gone in [&ada, &key] {
        gone.get("/me").await.refused(401, "UNAUTHORIZED");
    }
    assert_eq!(ben.get(&path).await.data(200)["name"], "Deleted user");
    assert_eq!(ben.all("/users").await.len(), 2);
    log_in(&server, "ada@example.org", PASSWORD).await.refused(401, "UNAUTHORIZED");
    let account = admin.get(&format!("/accounts/{}", ada.account_id)).await.data(200);
    assert_eq!(account["balance"], "890.00");
    let winner = json!({"optionId": market["options"][0]["id"]});
    let resolution = format!("/markets/{}/resolution", text(&market["id"]));
    admin.post(&resolution, winner).await.expect(200);
    admin.check_audit().await;
    assert_ne!(server.register("ada").await.user_id, ada.user_id, "the email address is free");
}

async fn owner_under_attack_signs_in_after_restart(database: Database) {
    // The clients are distinguished by a proxy, which is the test.
    let settings = [("FORETELL__SERVER__TRUSTED_PROXIES", "127.0.0.0/8")];
    let mut server = Server::start_with(database, &settings).await;
    let (home, elsewhere) = ("203.0.113.9", "198.51.100.7");
    server.register("ada").await;
    let sign_in = async |server: &Server, from: &str, password: &str| {
        let body = json!({"email": "ada@example.org", "password": password});
        let request =
            server.client().request(Method::POST, "/sessions").header("X-Forwarded-For", from);
        send(request.json(&body)).await
    };
    let flood = async |server: &Server| {
        for _ in 0..10 {
            sign_in(server, elsewhere, "wrong password").await.refused(401, "UNAUTHORIZED");
        }
        sign_in(server, elsewhere, PASSWORD).await.refused(429, "RATE_LIMITED");
        sign_in(server, "203.0.113.10", PASSWORD).await.refused(429, "RATE_LIMITED");
    };
    sign_in(&server, home, PASSWORD).await.expect(201);
    server.stop_cleanly().await;
    server.start_again().await;
    flood(&server).await;
    let token = text(&sign_in(&server, home, PASSWORD).await.data(201)["token"]);
    let known = || server.home().count("SELECT COUNT(*) AS count FROM known_networks");
    assert_eq!(known(), 2, "she has registered elsewhere");
    let body = json!({"currentPassword": PASSWORD, "newPassword": "another password"});
    let change =
        server.client().request(Method::POST, "/me/password").header("X-Forwarded-For", home);
    send(change.bearer_auth(token).json(&body)).await.expect(200);
    assert_eq!(known(), 1);
    sign_in(&server, home, "another password").await.expect(201);
    sign_in(&server, "127.0.0.1", "another password").await.refused(429, "RATE_LIMITED");
}

async fn many_sessions_return_at_once_after_restart(database: Database) {
    // Few look-ups at a time, so that these sessions wait for each other.
    let settings = [("FORETELL__LIMITS__INVALID_TOKENS", "3")];
    let mut server = Server::start_with(database, &settings).await;
    server.register("ada").await;
    let mut tokens = Vec::new();
    for _ in 0..20 {
        tokens.push(server.client().log_in("ada@example.org", PASSWORD).await.token);
    }
    server.stop_cleanly().await;
    server.start_again().await;
    let returning = tokens.into_iter().map(|token| {
        let mut client = server.client();
        client.token = token;
        async move { client.get("/me").await.expect(200) }
    });
    futures::future::join_all(returning).await;
}

async fn guesses_are_limited(database: Database) {
    let server = Server::start(database).await;
    for email in ["nobody@example.org", "nobody-else@example.org"] {
        for _ in 0..10 {
            log_in(&server, email, "wrong password").await.refused(401, "UNAUTHORIZED");
        }
        let limited = log_in(&server, email, "wrong password").await.refused(429, "RATE_LIMITED");
        let seconds: u64 = limited.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=90).contains(&seconds), "{seconds}");
    }
    server.register("ada").await;
}
