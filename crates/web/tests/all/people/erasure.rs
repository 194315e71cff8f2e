//! Tests of deleting oneself: personal data is deleted, the ledger is kept.

use serde_json::json;

use crate::support::{PASSWORD, TestApp};

#[actix_web::test]
async fn deleted_user_leaves_only_ledger_entries() {
    let app = TestApp::start().await;
    let (ada, bob, admin) = (app.user("ada").await, app.user("bob").await, app.admin().await);
    let (second, key) = (app.signed_in_again(&ada).await, app.with_key(&ada, &["read"]).await);
    let payment = json!({
        "fromAccountId": ada.account_id.to_string(), "toAccountId": bob.account_id.to_string(),
        "amount": "5",
    });
    app.post("/transfers").by(&ada).key("k").json(&payment).await.ok(201);
    for user in [&ada, &second, &key] {
        app.get("/me").by(user).await.ok(200);
    }
    let path = format!("/users/{}", ada.id);
    let reply = app.erase(&ada).await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (204, 0));
    assert!(reply.header("Set-Cookie").contains("Max-Age=0"), "{reply}");
    for user in [&ada, &second, &key] {
        app.get("/me").by(user).await.refused(401, "UNAUTHORIZED");
    }
    let public = json!({
        "id": ada.id.to_string(), "name": "Deleted user", "avatar": null, "role": "USER",
        "createdAt": "2026-01-01T12:00:00Z", "updatedAt": "2026-01-01T12:00:00Z",
    });
    assert_eq!(app.get(&path).by(&bob).await.ok(200), public);
    let listed = app.get("/users").by(&bob).await;
    assert!(!String::from_utf8_lossy(&listed.body).contains(&ada.id.to_string()), "{listed}");
    let mut private = public;
    (private["email"], private["status"]) =
        (json!(format!("erased-{}@erased.invalid", ada.id)), json!("erased"));
    assert_eq!(app.get(&path).by(&admin).await.ok(200), private);
    let account = app.get(&format!("/accounts/{}", ada.account_id)).by(&admin).await.ok(200);
    assert_eq!(
        (&account["balance"], &account["ownerId"]),
        (&json!("995.00"), &json!(ada.id.to_string()))
    );
    assert_eq!(app.get("/ledger/audit").by(&admin).await.ok(200)["isSound"], true);
    let body = json!({ "status": "active" });
    let refused = app.patch(&path).by(&admin).json(&body).await.refused(409, "CONFLICT");
    assert_eq!(refused["error"], format!("The user is deleted: {}", ada.id));
}

#[actix_web::test]
async fn email_of_deleted_user_is_available() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    app.erase(&ada).await;
    let log_in = async |email: &str| {
        let reply =
            app.post("/sessions").json(&json!({ "email": email, "password": PASSWORD })).await;
        let mut body = reply.refused(401, "UNAUTHORIZED");
        body["requestId"].take();
        body
    };
    let unknown = log_in("nobody@example.com").await;
    let stand_in = format!("erased-{}@erased.invalid", ada.id);
    for email in [&ada.email, &stand_in] {
        assert_eq!(log_in(email).await, unknown, "{email}");
    }
    let register = async |email: &str| {
        let body = json!({ "email": email, "name": "Ada", "password": PASSWORD });
        app.post("/users").json(&body).await
    };
    assert_ne!(register(&ada.email).await.ok(201)["id"], ada.id.to_string());
    // Nobody can register an address that a deleted user will get.
    let other = app.user("bob").await;
    register(&format!("erased-{}@erased.invalid", other.id)).await.refused(409, "DUPLICATE");
    assert_eq!(app.erase(&other).await.status.as_u16(), 204);
}

#[actix_web::test]
async fn deletion_of_other_user_is_rejected() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let (path, body) = (format!("/users/{}", ada.id), json!({ "password": PASSWORD }));
    for user in [bob, app.moderator().await, app.admin().await] {
        let refused = app.delete(&path).by(&user).json(&body).await.refused(403, "FORBIDDEN");
        assert_eq!(refused["error"], "This is reserved to the user themselves");
    }
    let key = app.with_key(&ada, &["read", "trade", "manage"]).await;
    app.delete(&path).by(&key).json(&body).await.refused(403, "FORBIDDEN");
    app.get("/me").by(&ada).await.ok(200);
}

#[actix_web::test]
async fn deletion_requires_password() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let path = format!("/users/{}", ada.id);
    let erase = async |body| app.delete(&path).by(&ada).json(&body).await;
    assert_eq!(app.delete(&path).by(&ada).await.errors(), ["password: required"], "without a body");
    assert_eq!(erase(json!({})).await.errors(), ["password: required"]);
    assert_eq!(
        erase(json!({ "password": 1, "force": true })).await.errors(),
        ["force: unknown_field", "password: type"]
    );
    for _ in 0..10 {
        let refused =
            erase(json!({ "password": "a wrong one" })).await.refused(401, "UNAUTHORIZED");
        assert_eq!(refused["error"], "The password is wrong");
    }
    let limited = erase(json!({ "password": PASSWORD })).await;
    limited.refused(429, "RATE_LIMITED");
    assert_eq!(limited.header("Retry-After"), "90");
    app.get("/me").by(&ada).await.ok(200);
    app.clock.advance_seconds(90);
    assert_eq!(erase(json!({ "password": PASSWORD })).await.status.as_u16(), 204);
}
