//! Tests of API keys: created and returned once, listed and deleted by their user.

use serde_json::json;

use crate::support::{PASSWORD, TestApp, TestUser};

#[actix_web::test]
async fn key_secret_is_returned_once() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let body = json!({
        "name": "bot", "scopes": ["trade", "read"], "expiresAt": "2026-01-01T13:00:00+00:00",
        "password": PASSWORD,
    });
    let reply = app.post("/api-keys").by(&ada).json(&body).await;
    let mut made = reply.ok(201);
    let secret = made["secret"].take();
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(reply.header("Location"), format!("/api/v1/api-keys/{id}"));
    assert_eq!(reply.header("Cache-Control"), "no-store");
    let expected = json!({
        "id": id,
        "name": "bot",
        "scopes": ["read", "trade"],
        "createdAt": "2026-01-01T12:00:00Z",
        "expiresAt": "2026-01-01T13:00:00Z",
        "lastUsedAt": null,
    });
    assert_eq!(
        made.as_object_mut().unwrap().remove("secret"),
        Some(json!(null)),
        "it was taken out above"
    );
    assert_eq!(made, expected);
    let listed = app.get("/api-keys").by(&ada).await;
    assert_eq!(listed.ok(200), json!([expected]));
    assert!(!String::from_utf8_lossy(&listed.body).contains(secret.as_str().unwrap()));
    assert_eq!(listed.json()["meta"]["pagination"], json!({ "page": 1, "limit": 10, "total": 1 }));
    let bot = TestUser { token: secret.as_str().unwrap().to_owned(), ..ada.clone() };
    assert_eq!(app.get("/me").by(&bot).await.ok(200)["id"], ada.id.to_string());
    app.clock.advance_seconds(3_600);
    app.get("/me").by(&bot).await.refused(401, "UNAUTHORIZED");
}

#[actix_web::test]
async fn invalid_key_gets_all_errors() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let check = async |body, expected: &[&str]| {
        let reply = app.post("/api-keys").by(&ada).json(&body).await;
        assert_eq!(reply.errors(), expected, "{body}");
    };
    check(json!({}), &["name: required", "password: required", "scopes: required"]).await;
    let odd =
        json!({ "name": "", "scopes": [], "expiresAt": "2026-01-01T12:00:00Z", "secret": "x" });
    let errors = [
        "expiresAt: range",
        "name: length",
        "password: required",
        "scopes: length",
        "secret: unknown_field",
    ];
    check(odd, &errors).await;
    let odd = json!({
        "name": "n".repeat(51), "scopes": ["read", "write", "read"], "expiresAt": "soon",
        "password": "x",
    });
    check(odd, &["expiresAt: format", "name: length", "scopes[1]: invalid", "scopes[2]: repeated"])
        .await;
    let odd = json!({ "name": 1, "scopes": ["read", 5, {}], "password": 1 });
    check(odd, &["name: type", "password: type", "scopes[1]: type", "scopes[2]: type"]).await;
    // serde stops at the first value that is not a list.
    check(json!({ "name": 1, "scopes": "read", "password": 1 }), &["scopes: type"]).await;
    let many = json!({ "name": "n", "scopes": ["read", "trade", "manage", "resolve", "read"], "password": "x" });
    check(many, &["scopes: length", "scopes[4]: repeated"]).await;
    assert_eq!(app.get("/api-keys").by(&ada).await.ok(200), json!([]));
}

#[actix_web::test]
async fn key_creation_requires_password() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let create = async |password: &str| {
        let body = json!({ "name": "bot", "scopes": ["read"], "password": password });
        app.post("/api-keys").by(&ada).json(&body).await
    };
    for _ in 0..10 {
        let refused = create("a wrong one").await.refused(401, "UNAUTHORIZED");
        assert_eq!(refused["error"], "The password is wrong");
    }
    let limited = create(PASSWORD).await;
    limited.refused(429, "RATE_LIMITED");
    assert_eq!(limited.header("Retry-After"), "90");
    assert_eq!(app.get("/api-keys").by(&ada).await.ok(200), json!([]));
    app.clock.advance_seconds(90);
    create(PASSWORD).await.ok(201);
}

#[actix_web::test]
async fn key_is_deleted_immediately_by_its_user() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let (key, other) = (app.with_key(&ada, &["read"]).await, app.with_key(&ada, &["read"]).await);
    app.get("/me").by(&key).await.ok(200);
    let id = app.get("/api-keys?page=2&limit=1").by(&ada).await.ok(200)[0]["id"].clone();
    let path = format!("/api-keys/{}", id.as_str().unwrap());
    let refused = app.delete(&path).by(&bob).await.refused(404, "NOT_FOUND");
    assert_eq!(refused["error"], format!("API key not found: {}", id.as_str().unwrap()));
    app.get("/me").by(&key).await.ok(200);
    let reply = app.delete(&path).by(&ada).await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (204, 0));
    app.get("/me").by(&key).await.refused(401, "UNAUTHORIZED");
    app.get("/me").by(&other).await.ok(200);
    app.delete(&path).by(&ada).await.refused(404, "NOT_FOUND");
    assert_eq!(app.get("/api-keys").by(&ada).await.json()["meta"]["pagination"]["total"], 1);
}

#[actix_web::test]
async fn a_user_has_fifty_keys_at_most() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    for _ in 0..50 {
        app.with_key(&ada, &["read"]).await;
    }
    let body = json!({ "name": "one too many", "scopes": ["read"], "password": PASSWORD });
    let refused = app.post("/api-keys").by(&ada).json(&body).await.refused(409, "QUOTA_EXCEEDED");
    assert_eq!(refused["error"], "A user has at most 50 API keys");
    assert_eq!(refused["details"], json!({ "quota": "apiKeys", "limit": 50 }));
    let bob = app.user("bob").await;
    app.with_key(&bob, &["read"]).await;
}

#[actix_web::test]
async fn key_is_bearer_token_limited_to_scopes() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let trader = app.with_key(&ada, &["trade"]).await;
    let body = json!({
        "fromAccountId": ada.account_id.to_string(), "toAccountId": bob.account_id.to_string(),
        "amount": "5",
    });
    app.post("/transfers").by(&trader).key("k").json(&body).await.ok(201);
    app.get("/accounts").by(&trader).await.refused(403, "FORBIDDEN");
    assert_eq!(app.balance(&bob).await, "1005.00");
    let manager = app.with_key(&ada, &["manage"]).await;
    app.patch("/me").by(&manager).json(&json!({ "name": "Ada L." })).await.ok(200);
}
