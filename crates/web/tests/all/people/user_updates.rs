//! Tests of roles and statuses set by admins.

use foretell_domain::id::UserId;
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp, TestUser};

async fn update(app: &TestApp, admin: &TestUser, who: UserId, body: Value) -> Value {
    app.patch(&format!("/users/{who}")).by(admin).json(&body).await.ok(200)
}

#[actix_web::test]
async fn suspension_applies_immediately_to_all_credentials() {
    let app = TestApp::start().await;
    let (ada, bob, admin) = (app.user("ada").await, app.user("bob").await, app.admin().await);
    let second = app.signed_in_again(&ada).await;
    let key = app.with_key(&ada, &["read", "trade"]).await;
    for user in [&ada, &second, &key] {
        app.get("/me").by(user).await.ok(200);
    }
    let suspended = update(&app, &admin, ada.id, json!({ "status": "suspended" })).await;
    assert_eq!((&suspended["status"], &suspended["role"]), (&json!("suspended"), &json!("USER")));
    for user in [&ada, &second, &key] {
        app.get("/me").by(user).await.refused(401, "UNAUTHORIZED");
    }
    let credentials = json!({ "email": ada.email, "password": PASSWORD });
    let refused = app.post("/sessions").json(&credentials).await.refused(401, "UNAUTHORIZED");
    assert_eq!(refused["error"], "Email address or password is wrong");
    app.get("/me").by(&bob).await.ok(200);
    update(&app, &admin, ada.id, json!({ "status": "active" })).await;
    for user in [&ada, &second, &key] {
        app.get("/me").by(user).await.ok(200);
    }
}

#[actix_web::test]
async fn role_change_applies_immediately() {
    let app = TestApp::start().await;
    let (ada, admin) = (app.user("ada").await, app.admin().await);
    app.get("/ledger/audit").by(&ada).await.refused(403, "FORBIDDEN");
    let updated = update(&app, &admin, ada.id, json!({ "role": "ADMIN" })).await;
    assert_eq!(updated["role"], "ADMIN");
    app.get("/ledger/audit").by(&ada).await.ok(200);
    update(&app, &ada, admin.id, json!({ "role": "MODERATOR" })).await;
    app.get("/ledger/audit").by(&admin).await.refused(403, "FORBIDDEN");
    app.get(&format!("/users/{}", ada.id)).by(&admin).await.ok(200)["email"].as_str().unwrap();
}

#[actix_web::test]
async fn last_active_admin_cannot_be_removed() {
    let app = TestApp::start().await;
    let (ada, admin) = (app.user("ada").await, app.admin().await);
    let refused = async |body: Value| {
        let reply = app.patch(&format!("/users/{}", admin.id)).by(&admin).json(&body).await;
        assert_eq!(
            reply.refused(409, "CONFLICT")["error"],
            "There must be another active admin first"
        );
    };
    refused(json!({ "role": "USER" })).await;
    refused(json!({ "status": "suspended" })).await;
    refused(json!({ "role": "MODERATOR", "status": "suspended" })).await;
    app.erase(&admin).await.refused(409, "CONFLICT");
    // A suspended admin would not be active.
    update(&app, &admin, ada.id, json!({ "role": "ADMIN", "status": "suspended" })).await;
    refused(json!({ "role": "USER" })).await;
    update(&app, &admin, ada.id, json!({ "status": "active" })).await;
    update(&app, &admin, admin.id, json!({ "role": "USER" })).await;
    app.patch(&format!("/users/{}", ada.id))
        .by(&admin)
        .json(&json!({}))
        .await
        .refused(403, "FORBIDDEN");
}

#[actix_web::test]
async fn invalid_user_update_is_rejected() {
    let app = TestApp::start().await;
    let (ada, admin) = (app.user("ada").await, app.admin().await);
    let path = format!("/users/{}", ada.id);
    let errors = app
        .patch(&path)
        .by(&admin)
        .json(&json!({ "role": "user", "status": "erased", "name": 1 }))
        .await;
    assert_eq!(errors.errors(), ["name: unknown_field", "role: invalid", "status: invalid"]);
    let unknown = format!("/users/{}", UserId::from_u128(7));
    app.patch(&unknown)
        .by(&admin)
        .json(&json!({ "role": "ADMIN" }))
        .await
        .refused(404, "NOT_FOUND");
    assert_eq!(update(&app, &admin, ada.id, json!({})).await["role"], "USER");
    let moderator = app.moderator().await;
    for user in [&ada, &moderator] {
        let refused = app.patch(&path).by(user).json(&json!({ "role": "ADMIN" })).await;
        assert_eq!(refused.refused(403, "FORBIDDEN")["error"], "This is reserved to admins");
    }
}
