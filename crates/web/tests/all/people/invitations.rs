//! Tests of invitations, and of users that admins create.

use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp, TestUser};

fn new_user(name: &str) -> Value {
    json!({ "email": format!("{name}@example.com"), "name": name, "password": PASSWORD })
}

fn invited(name: &str, code: &Value) -> Value {
    let mut body = new_user(name);
    body["invitation"] = code.clone();
    body
}

async fn invite(app: &TestApp, admin: &TestUser, body: Value) -> Value {
    app.post("/invitations").by(admin).json(&body).await.ok(201)
}

#[actix_web::test]
async fn invitation_code_is_returned_once() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let body = json!({ "role": "MODERATOR", "grant": "12.50", "maxUses": 2 });
    let reply = app.post("/invitations").by(&admin).json(&body).await;
    let mut made = reply.ok(201);
    let code = made["code"].take();
    made.as_object_mut().unwrap().remove("code");
    assert_eq!(
        made,
        json!({
            "id": made["id"],
            "role": "MODERATOR",
            "grant": "12.50",
            "maxUses": 2,
            "uses": 0,
            "createdBy": admin.id.to_string(),
            "createdAt": "2026-01-01T12:00:00Z",
            "expiresAt": "2026-01-08T12:00:00Z",
        })
    );
    assert_eq!(reply.header("Cache-Control"), "no-store");
    let listed = app.get("/invitations").by(&admin).await;
    assert_eq!(listed.ok(200), json!([made]));
    assert!(!String::from_utf8_lossy(&listed.body).contains(code.as_str().unwrap()));
}

#[actix_web::test]
async fn invitation_decides_about_role_and_grant() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let plain = invite(&app, &admin, json!({})).await;
    let made = app.post("/users").json(&invited("ada", &plain["code"])).await.ok(201);
    assert_eq!(made["role"], "USER");
    let usual = made["account"]["balance"].clone();
    let rich = invite(&app, &admin, json!({ "role": "MODERATOR", "grant": "12.50" })).await;
    let made = app.post("/users").json(&invited("ben", &rich["code"])).await.ok(201);
    assert_eq!(made["role"], "MODERATOR");
    assert_eq!(made["account"]["balance"], "12.50");
    assert_ne!(usual, "12.50");
}

#[actix_web::test]
async fn unusable_invitation_is_rejected() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let used = invite(&app, &admin, json!({})).await;
    app.post("/users").json(&invited("ada", &used["code"])).await.ok(201);
    let deleted = invite(&app, &admin, json!({})).await;
    let path = format!("/invitations/{}", deleted["id"].as_str().unwrap());
    assert_eq!(app.delete(&path).by(&admin).await.status.as_u16(), 204);
    app.delete(&path).by(&admin).await.refused(404, "NOT_FOUND");
    let expired = invite(&app, &admin, json!({ "expiresAt": "2026-01-01T12:00:01Z" })).await;
    app.clock.advance_seconds(1);
    let unknown = json!("test-code-unknown");
    for code in [&used["code"], &deleted["code"], &expired["code"], &unknown, &json!("none")] {
        let refused = app.post("/users").json(&invited("ben", code)).await;
        refused.refused(403, "INVITATION_INVALID");
    }
    // The address is still free, and a failed registration uses no invitation.
    let fresh = invite(&app, &admin, json!({})).await;
    let taken = app.post("/users").json(&invited("ada", &fresh["code"])).await;
    taken.refused(409, "DUPLICATE");
    app.post("/users").json(&invited("ben", &fresh["code"])).await.ok(201);
}

#[actix_web::test]
async fn invalid_invitation_fields_are_reported() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let body = json!({
        "role": "GOD", "grant": "0", "maxUses": 0, "expiresAt": "2026-01-01T12:00:00Z",
    });
    let refused = app.post("/invitations").by(&admin).json(&body).await;
    let details = refused.refused(400, "VALIDATION_ERROR")["details"].clone();
    let fields: Vec<_> =
        details.as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["expiresAt", "grant", "maxUses", "role"]);
    let most = json!({ "maxUses": 10_001 });
    app.post("/invitations").by(&admin).json(&most).await.refused(400, "VALIDATION_ERROR");
}

#[actix_web::test]
async fn admin_creates_users_of_any_role() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let mut body = new_user("ada");
    let made = app.post("/admin/users").by(&admin).json(&body).await.ok(201);
    assert_eq!(made["role"], "USER");
    app.post("/admin/users").by(&admin).json(&body).await.refused(409, "DUPLICATE");
    body = new_user("ben");
    body["role"] = json!("MODERATOR");
    let made = app.post("/admin/users").by(&admin).json(&body).await.ok(201);
    assert_eq!((&made["role"], &made["status"]), (&json!("MODERATOR"), &json!("active")));
    let session = json!({ "email": "ben@example.com", "password": PASSWORD });
    app.post("/sessions").json(&session).await.ok(201);
}
