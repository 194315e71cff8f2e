//! Tests of versions in conditional requests.

use serde_json::json;

use super::{comment, published, write};
use crate::support::TestApp;

#[actix_web::test]
async fn known_post_version_returns_no_body() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let path = write(&app, &ada, &published()).await;
    let first = app.get(&path).await;
    assert_eq!((first.status.as_u16(), first.header("ETag")), (200, "\"1\""));
    for known in ["\"1\"", "W/\"1\"", "\"7\", \"1\"", "*"] {
        let reply = app.get(&path).header("If-None-Match", known).await;
        assert_eq!((reply.status.as_u16(), reply.header("ETag")), (304, "\"1\""), "{known}");
        assert!(reply.body.is_empty());
    }
    let fields = app.get(&format!("{path}?fields=id")).header("If-None-Match", "\"1\"").await;
    assert_eq!(fields.status.as_u16(), 304, "an address has bodies of its own");
    app.patch(&path).by(&ada).json(&json!({ "title": "On snow" })).await.ok(200);
    for known in ["\"1\"", "2", "nonsense"] {
        let reply = app.get(&path).header("If-None-Match", known).await;
        assert_eq!(
            (reply.ok(200)["version"].as_i64(), reply.header("ETag")),
            (Some(2), "\"2\""),
            "{known}"
        );
    }
}

#[actix_web::test]
async fn post_with_embedded_resources_has_no_tag() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let path = write(&app, &ada, &published()).await;
    let expanded = format!("{path}?expand=comments");
    assert_eq!(app.get(&expanded).await.header("ETag"), "");
    comment(&app, &ada, &path, "New").await;
    let reply = app.get(&expanded).header("If-None-Match", "\"1\"").await;
    assert_eq!(reply.ok(200)["comments"][0]["content"], "New", "the version is the same");
}

#[actix_web::test]
async fn edit_of_other_post_version_is_rejected() {
    let app = TestApp::start().await;
    let (ada, moderator) = (app.user("ada").await, app.moderator().await);
    let path = write(&app, &ada, &published()).await;
    let edit = |title: &str| app.patch(&path).json(&json!({ "title": title }));
    let reply = edit("Two").by(&ada).header("If-Match", "\"1\"").await;
    assert_eq!((reply.ok(200)["title"].as_str(), reply.header("ETag")), (Some("Two"), "\"2\""));
    for stale in ["\"1\"", "\"3\"", "W/\"2\"", "\"x\"", "\"1\", \"3\"", "\"02x\""] {
        let refused = edit("Three").by(&moderator).header("If-Match", stale).await;
        refused.refused(412, "PRECONDITION_FAILED");
        assert_eq!(app.get(&path).await.ok(200)["title"], "Two", "{stale}");
    }
    for (known, title) in [("\"1\", \"2\"", "Three"), ("*", "Four")] {
        edit(title).by(&ada).header("If-Match", known).await.ok(200);
    }
    edit("Five").by(&ada).await.ok(200);
    assert_eq!(app.get(&path).await.ok(200)["version"], 5);
    // An edit that changes nothing requires the version as well, and does not increment it.
    edit("Five").by(&ada).header("If-Match", "\"4\"").await.refused(412, "PRECONDITION_FAILED");
    edit("Five").by(&ada).header("If-Match", "\"5\"").await.ok(200);
    assert_eq!(app.get(&path).await.ok(200)["version"], 5);
}

#[actix_web::test]
async fn second_edit_of_one_version_is_rejected() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let path = write(&app, &ada, &published()).await;
    let edits = ["One", "Two"].map(|title| {
        let call = app.patch(&path).by(&ada).header("If-Match", "\"1\"");
        std::future::IntoFuture::into_future(call.json(&json!({ "title": title })))
    });
    let replies = futures::future::join_all(edits).await;
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    assert_eq!(app.get(&path).await.ok(200)["version"], 2);
}

#[actix_web::test]
async fn invalid_precondition_is_rejected() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user("ada").await, app.user("ben").await);
    let path = write(&app, &ada, &published()).await;
    for odd in ["1", "\"1", "\"1\" \"2\"", ""] {
        let edit =
            app.patch(&path).by(&ada).header("If-Match", odd).json(&json!({ "title": "Two" }));
        assert_eq!(edit.await.errors(), ["If-Match: format"], "{odd}");
    }
    let edit =
        app.patch(&path).by(&ben).header("If-Match", "\"7\"").json(&json!({ "title": "Two" }));
    edit.await.refused(403, "FORBIDDEN");
    assert_eq!(app.get(&path).await.ok(200)["version"], 1);
}
