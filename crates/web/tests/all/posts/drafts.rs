//! Tests of drafts: visible to their author, and not found for everyone else.

use serde_json::json;

use super::{check_missing, comment, ids, path_of, published, published_with, write};
use crate::support::TestApp;

#[actix_web::test]
async fn draft_of_another_user_is_not_found() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user("ada").await, app.user("ben").await);
    let (moderator, admin) = (app.moderator().await, app.admin().await);
    let path = write(&app, &ada, &published_with("published", json!(false))).await;
    let comments = format!("{path}/comments");
    check_missing(&app.get(&path).await, "Post", &path);
    let missing = app.get(&comments).await.refused(404, "NOT_FOUND");
    assert!(missing["error"].as_str().unwrap().starts_with("Post not found: "), "{missing}");
    for user in [&ben, &moderator, &admin] {
        check_missing(&app.get(&path).by(user).await, "Post", &path);
        let edit = app.patch(&path).by(user).json(&json!({ "title": "Mine" }));
        check_missing(&edit.await, "Post", &path);
        let edit =
            app.patch(&path).by(user).header("If-Match", "\"7\"").json(&json!({ "title": "Mine" }));
        check_missing(&edit.await, "Post", &path);
        check_missing(&app.delete(&path).by(user).await, "Post", &path);
        app.get(&comments).by(user).await.refused(404, "NOT_FOUND");
        let said = app.post(&comments).by(user).json(&json!({ "content": "?" }));
        said.await.refused(404, "NOT_FOUND");
    }
    let draft = app.get(&path).by(&ada).await;
    assert_eq!(
        (draft.ok(200)["title"].as_str(), draft.header("Cache-Control")),
        (Some("On rain"), "no-store")
    );
    comment(&app, &ada, &path, "A note to myself").await;
    assert_eq!(app.get(&comments).by(&ada).await.ok(200)[0]["content"], "A note to myself");
}

#[actix_web::test]
async fn unpublished_post_hides_its_comments() {
    let app = TestApp::start().await;
    let (ada, ben, moderator) =
        (app.user("ada").await, app.user("ben").await, app.moderator().await);
    let post = write(&app, &ada, &published()).await;
    let said = comment(&app, &ben, &post, "Well said").await;
    app.get(&said).await.ok(200);
    app.patch(&post).by(&ada).json(&json!({ "published": false })).await.ok(200);
    check_missing(&app.get(&said).await, "Comment", &said);
    for user in [&ben, &moderator] {
        check_missing(&app.get(&said).by(user).await, "Comment", &said);
        let edit = app.patch(&said).by(user).json(&json!({ "content": "Or not" }));
        check_missing(&edit.await, "Comment", &said);
        check_missing(&app.delete(&said).by(user).await, "Comment", &said);
    }
    assert_eq!(app.get(&said).by(&ada).await.ok(200)["content"], "Well said");
    app.delete(&said).by(&ada).await.refused(403, "FORBIDDEN");
    app.patch(&post).by(&ada).json(&json!({ "published": true })).await.ok(200);
    assert_eq!(app.get(&said).await.ok(200)["content"], "Well said");
}

#[actix_web::test]
async fn drafts_are_listed_for_author_only() {
    let app = TestApp::start().await;
    let (ada, ben, admin) = (app.user("ada").await, app.user("ben").await, app.admin().await);
    let draft = json!({ "title": "t", "content": "c", "tags": ["x"] });
    let mine = write(&app, &ada, &draft).await;
    let theirs = write(&app, &ben, &draft).await;
    let public = write(&app, &ada, &published()).await;
    let check = async |query: &str, user, expected: &[&String]| {
        let reply = app.get(&format!("/posts{query}")).by(user).await;
        let rows = reply.ok(200);
        let paths: Vec<_> = ids(&rows).into_iter().map(|id| format!("/posts/{id}")).collect();
        assert_eq!(paths.iter().collect::<Vec<_>>(), expected, "{query}");
        assert_eq!(reply.json()["meta"]["pagination"]["total"], expected.len(), "{query}");
    };
    check("?status=draft", &ada, &[&mine]).await;
    check("?status=draft&tag=X", &ada, &[&mine]).await;
    check("?status=draft&tag=y", &ada, &[]).await;
    check("?status=draft", &ben, &[&theirs]).await;
    check("?status=draft", &admin, &[]).await;
    check(&format!("?status=draft&authorId={}", ada.id), &ada, &[&mine]).await;
    for other in [&ben, &admin] {
        check(&format!("?status=draft&authorId={}", ada.id), other, &[]).await;
    }
    for query in ["", "?status=published", &format!("?authorId={}", ada.id)] {
        check(query, &ada, &[&public]).await;
    }
    app.get("/posts?status=draft").await.refused(401, "UNAUTHORIZED");
    assert_eq!(app.get("/posts?status=draft&page=0").await.errors(), ["page: range"]);
}

#[actix_web::test]
async fn invalid_token_is_rejected_on_public_routes() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let post = write(&app, &ada, &published()).await;
    let said = comment(&app, &ada, &post, "Well said").await;
    let of_post = format!("{post}/comments");
    for path in ["/posts", &post, &of_post, &said] {
        app.get(path).await.ok(200);
        let bearer = app.get(path).header("Authorization", "Bearer nonsense").await;
        bearer.refused(401, "UNAUTHORIZED");
        app.get(path).header("Authorization", "Basic YTpi").await.refused(401, "UNAUTHORIZED");
        app.get(path).cookie("nonsense").await.refused(401, "UNAUTHORIZED");
        app.get(path).cookie(&ada.token).await.ok(200);
    }
    app.delete("/sessions/current").by(&ada).await;
    app.get(&post).by(&ada).await.refused(401, "UNAUTHORIZED");
    assert_eq!(path_of("/posts", &app.get(&post).await.ok(200)), post);
}
