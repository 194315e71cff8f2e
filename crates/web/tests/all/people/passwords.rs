//! Tests of changing one's password.

use serde_json::json;

use crate::support::{PASSWORD, TestApp};

const NEW: &str = "battery staple";

#[actix_web::test]
async fn a_new_password_ends_the_other_sessions() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let (second, third) = (app.signed_in_again(&ada).await, app.signed_in_again(&ada).await);
    let key = app.with_key(&ada, &["read"]).await;
    for user in [&ada, &second, &third, &key] {
        app.get("/me").by(user).await.ok(200);
    }
    let body = json!({ "currentPassword": PASSWORD, "newPassword": NEW });
    let reply = app.post("/me/password").by(&second).json(&body).await;
    assert_eq!(reply.ok(200), json!({ "endedSessions": 2, "revokedApiKeys": 0 }));
    for ended in [&ada, &third] {
        app.get("/me").by(ended).await.refused(401, "UNAUTHORIZED");
    }
    for live in [&second, &key, &bob] {
        app.get("/me").by(live).await.ok(200);
    }
    let log_in = async |password| {
        app.post("/sessions").json(&json!({ "email": ada.email, "password": password })).await
    };
    log_in(PASSWORD).await.refused(401, "UNAUTHORIZED");
    log_in(NEW).await.ok(201);
}

#[actix_web::test]
async fn new_password_revokes_keys_on_request() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let [key, other] =
        [app.with_key(&ada, &["read"]).await, app.with_key(&ada, &["trade", "read"]).await];
    let of_bob = app.with_key(&bob, &["read"]).await;
    for user in [&key, &other, &of_bob] {
        app.get("/me").by(user).await.ok(200);
    }
    let mut body = json!({ "currentPassword": PASSWORD, "newPassword": NEW, "revokeApiKeys": 1 });
    assert_eq!(
        app.post("/me/password").by(&ada).json(&body).await.errors(),
        ["revokeApiKeys: type"]
    );
    body["revokeApiKeys"] = json!(true);
    let reply = app.post("/me/password").by(&ada).json(&body).await;
    assert_eq!(reply.ok(200), json!({ "endedSessions": 0, "revokedApiKeys": 2 }));
    for revoked in [&key, &other] {
        app.get("/me").by(revoked).await.refused(401, "UNAUTHORIZED");
    }
    assert_eq!(app.get("/api-keys").by(&ada).await.ok(200), json!([]));
    app.get("/me").by(&of_bob).await.ok(200);
}

#[actix_web::test]
async fn password_change_requires_current_password() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let other = app.signed_in_again(&ada).await;
    let change = async |body| app.post("/me/password").by(&ada).json(&body).await;
    let wrong = json!({ "currentPassword": "a wrong one", "newPassword": NEW });
    let refused = change(wrong.clone()).await.refused(401, "UNAUTHORIZED");
    assert_eq!(refused["error"], "The password is wrong");
    assert_eq!(
        change(json!({})).await.errors(),
        ["currentPassword: required", "newPassword: required"]
    );
    let short = json!({ "currentPassword": PASSWORD, "newPassword": "short", "password": "x" });
    assert_eq!(change(short).await.errors(), ["newPassword: length", "password: unknown_field"]);
    app.get("/me").by(&other).await.ok(200);
    app.signed_in_again(&ada).await;
    // A stolen session does not help to guess it.
    for _ in 0..9 {
        change(wrong.clone()).await.refused(401, "UNAUTHORIZED");
    }
    let limited = change(json!({ "currentPassword": PASSWORD, "newPassword": NEW })).await;
    limited.refused(429, "RATE_LIMITED");
    assert_eq!(limited.header("Retry-After"), "90");
}
