//! Tests of permissions on published posts and comments: anonymous, author, other user, moderator,
//! admin.

use serde_json::{Value, json};

use super::{UNKNOWN, check_missing, comment, published, write};
use crate::support::{TestApp, TestUser};

/// Callers, by name.
struct Users {
    author: TestUser,
    other: TestUser,
    moderator: TestUser,
    admin: TestUser,
}

impl Users {
    async fn of(app: &TestApp) -> Self {
        Self {
            author: app.user("author").await,
            other: app.user("other").await,
            moderator: app.moderator().await,
            admin: app.admin().await,
        }
    }
}

/// Checks who may change and delete a resource created by `make`.
async fn check(app: &TestApp, users: &Users, edit: &Value, make: impl AsyncFn() -> String) {
    for (user, status, code) in
        [(None, 401, "UNAUTHORIZED"), (Some(&users.other), 403, "FORBIDDEN")]
    {
        let path = make().await;
        let before = app.get(&path).await.ok(200);
        for call in [app.patch(&path).json(edit), app.delete(&path)] {
            let call = if let Some(user) = user { call.by(user) } else { call };
            call.await.refused(status, code);
        }
        assert_eq!(app.get(&path).await.ok(200), before, "{user:?}");
    }
    for user in [&users.author, &users.moderator, &users.admin] {
        let path = make().await;
        let before = app.get(&path).await.ok(200);
        let edited = app.patch(&path).by(user).json(edit).await.ok(200);
        assert_eq!(edited["content"], edit["content"], "{user:?}");
        assert_eq!(edited["authorId"], before["authorId"], "the author stays");
        assert_eq!(app.get(&path).await.ok(200), edited, "{user:?}");
        assert_eq!(app.delete(&path).by(user).await.status.as_u16(), 204, "{user:?}");
        app.get(&path).await.refused(404, "NOT_FOUND");
    }
}

#[actix_web::test]
async fn authors_moderators_and_admins_change_posts() {
    let app = TestApp::start().await;
    let users = Users::of(&app).await;
    let edit = json!({ "content": "Changed" });
    check(&app, &users, &edit, async || write(&app, &users.author, &published()).await).await;
}

#[actix_web::test]
async fn authors_moderators_and_admins_change_comments() {
    let app = TestApp::start().await;
    let users = Users::of(&app).await;
    // The author of the post has no rights on its comments.
    let post = write(&app, &users.other, &published()).await;
    let edit = json!({ "content": "Changed" });
    check(&app, &users, &edit, async || comment(&app, &users.author, &post, "Well said").await)
        .await;
}

#[actix_web::test]
async fn writing_requires_authentication() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let post = write(&app, &ada, &published()).await;
    app.post("/posts").json(&published()).await.refused(401, "UNAUTHORIZED");
    app.post("/posts").json(&json!({})).await.refused(401, "UNAUTHORIZED");
    let comments = format!("{post}/comments");
    app.post(&comments).json(&json!({ "content": "c" })).await.refused(401, "UNAUTHORIZED");
    assert_eq!(app.get(&comments).await.ok(200), json!([]));
    assert_eq!(app.get("/posts").await.json()["meta"]["pagination"]["total"], 1);
}

#[actix_web::test]
async fn missing_posts_and_comments_are_not_found() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let body = json!({ "content": "c" });
    for (list, what) in [("/posts", "Post"), ("/comments", "Comment")] {
        let path = format!("{list}/{UNKNOWN}");
        check_missing(&app.get(&path).await, what, &path);
        check_missing(&app.patch(&path).by(&admin).json(&body).await, what, &path);
        check_missing(&app.delete(&path).by(&admin).await, what, &path);
    }
    for (list, what) in [("/posts", "Post"), ("/markets", "Market")] {
        let path = format!("{list}/{UNKNOWN}/comments");
        for reply in [app.get(&path).await, app.post(&path).by(&admin).json(&body).await] {
            assert_eq!(
                reply.refused(404, "NOT_FOUND")["error"],
                format!("{what} not found: {UNKNOWN}")
            );
        }
        assert_eq!(app.get(&format!("{list}/x/comments")).await.errors(), ["id: format"]);
    }
}
