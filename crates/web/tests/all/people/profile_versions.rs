//! Tests of profile versions in conditional requests.

use serde_json::json;

use crate::markets::open;
use crate::support::{TestApp, TestUser};

/// Returns the status and the tag for a client that has this tag.
async fn ask(app: &TestApp, path: &str, by: &TestUser, known: &str) -> (u16, String) {
    let reply = app.get(path).by(by).header("If-None-Match", known).await;
    let status = reply.status.as_u16();
    assert_eq!(reply.body.is_empty(), status == 304, "{reply}");
    (status, reply.header("ETag").to_owned())
}

#[actix_web::test]
async fn unchanged_own_profile_returns_no_body() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let (status, first) = ask(&app, "/me", &ada, "\"1\"").await;
    assert_eq!(status, 200);
    assert_eq!(ask(&app, "/me", &ada, &first).await, (304, first.clone()));
    open(&app, &ada).await;
    let (status, second) = ask(&app, "/me", &ada, &first).await;
    assert_eq!(status, 200, "the balance is another");
    assert_ne!(second, first);
    let changed = app.patch("/me").by(&ada).json(&json!({ "name": "Ada" })).await;
    let third = changed.header("ETag").to_owned();
    assert_eq!(ask(&app, "/me", &ada, &second).await, (200, third.clone()));
    assert_eq!(ask(&app, "/me", &ada, &third).await, (304, third));
}

#[actix_web::test]
async fn profile_tag_depends_on_visible_contact() {
    let app = TestApp::start().await;
    let (ada, bob, moderator) =
        (app.user("ada").await, app.user("bob").await, app.moderator().await);
    let path = format!("/users/{}", ada.id);
    assert_eq!(ask(&app, &path, &bob, "\"1\"").await.0, 304);
    for viewer in [&ada, &moderator] {
        let (status, tag) = ask(&app, &path, viewer, "\"1\"").await;
        assert_eq!(status, 200, "that body lacks the email address");
        assert_eq!(ask(&app, &path, viewer, &tag).await.0, 304);
    }
    app.patch("/me").by(&ada).json(&json!({ "name": "Ada" })).await.ok(200);
    assert_eq!(ask(&app, &path, &bob, "\"1\"").await, (200, "\"2\"".to_owned()));
}

#[actix_web::test]
async fn profile_change_of_other_version_is_rejected() {
    let app = TestApp::start().await;
    let (ada, admin) = (app.user("ada").await, app.admin().await);
    let change = |name: &str, version: &str| {
        let call = app.patch("/me").by(&ada).header("If-Match", version);
        call.json(&json!({ "name": name }))
    };
    let tag = app.get("/me").by(&ada).await.header("ETag").to_owned();
    open(&app, &ada).await;
    let second = change("Two", &tag).await;
    assert_eq!(second.ok(200)["name"], "Two", "a balance is no version of the profile");
    for stale in [tag.as_str(), "\"1\"", "W/\"2\"", "\"x\""] {
        change("Three", stale).await.refused(412, "PRECONDITION_FAILED");
        assert_eq!(app.get("/me").by(&ada).await.ok(200)["name"], "Two", "{stale}");
    }
    assert_eq!(change("Three", "2").await.errors(), ["If-Match: format"]);
    change("Three", second.header("ETag")).await.ok(200);
    let path = format!("/users/{}", ada.id);
    let update = |version: &str| {
        let call = app.patch(&path).by(&admin).header("If-Match", version);
        call.json(&json!({ "role": "MODERATOR" }))
    };
    update("\"2-contact\"").await.refused(412, "PRECONDITION_FAILED");
    let updated = update("\"3-contact\"").await;
    assert_eq!(
        (updated.ok(200)["role"].as_str(), updated.header("ETag")),
        (Some("MODERATOR"), "\"4-contact\"")
    );
}
