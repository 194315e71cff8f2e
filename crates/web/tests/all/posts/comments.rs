//! Tests of comments on posts and markets.

use serde_json::json;

use super::{check_missing, comment, id_of, ids, published, write};
use crate::markets::open;
use crate::support::TestApp;

#[actix_web::test]
async fn comment_is_created_read_changed_and_deleted() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user("ada").await, app.user("ben").await);
    let post = write(&app, &ada, &published()).await;
    let market = open(&app, &ada).await.path;
    for (subject, field) in [(&post, "postId"), (&market, "marketId")] {
        let body = json!({ "content": "Well said." });
        let reply = app.post(&format!("{subject}/comments")).by(&ben).json(&body).await;
        let written = reply.ok(201);
        let path = format!("/comments/{}", id_of(&written));
        assert_eq!(reply.header("Location"), format!("/api/v1{path}"));
        let now = written["createdAt"].clone();
        let mut expected = json!({
            "id": written["id"],
            "authorId": ben.id.to_string(),
            "content": "Well said.",
            "createdAt": now,
            "updatedAt": now,
        });
        expected[field] = json!(subject.rsplit('/').next());
        assert_eq!(written, expected);
        assert_eq!(app.get(&path).await.ok(200), expected);
        assert_eq!(app.get(&format!("{subject}/comments")).await.ok(200), json!([expected]));

        app.clock.advance_seconds(60);
        for same in [json!({}), json!({ "content": "Well said." })] {
            assert_eq!(app.patch(&path).by(&ben).json(&same).await.ok(200), expected);
        }
        let edited = app.patch(&path).by(&ben).json(&json!({ "content": "Or not." })).await.ok(200);
        assert_eq!((&edited["content"], &edited["createdAt"]), (&json!("Or not."), &now));
        assert_ne!(edited["updatedAt"], now);
        assert_eq!(app.get(&path).await.ok(200), edited);

        let reply = app.delete(&path).by(&ben).await;
        assert_eq!((reply.status.as_u16(), reply.body.len()), (204, 0));
        check_missing(&app.get(&path).await, "Comment", &path);
        check_missing(&app.delete(&path).by(&ben).await, "Comment", &path);
        assert_eq!(app.get(&format!("{subject}/comments")).await.ok(200), json!([]));
    }
}

#[actix_web::test]
async fn comments_are_listed_newest_first_by_subject() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let (post, other) =
        (write(&app, &ada, &published()).await, write(&app, &ada, &published()).await);
    let market = open(&app, &ada).await.path;
    for subject in [&post, &market] {
        let mut written = Vec::new();
        for number in 0..3 {
            written.push(comment(&app, &ada, subject, &number.to_string()).await);
            comment(&app, &ada, &other, "elsewhere").await;
        }
        written.reverse();
        let expected: Vec<_> =
            written.iter().map(|path| path.rsplit('/').next().unwrap()).collect();
        let reply = app.get(&format!("{subject}/comments?limit=2")).await;
        assert_eq!(ids(&reply.ok(200)), expected[..2]);
        assert_eq!(
            reply.json()["meta"]["pagination"],
            json!({ "page": 1, "limit": 2, "total": 3 })
        );
        let last = app.get(&format!("{subject}/comments?limit=2&page=2")).await.ok(200);
        assert_eq!(ids(&last), expected[2..]);
    }
}

#[actix_web::test]
async fn deleted_post_deletes_its_comments() {
    let app = TestApp::start().await;
    let (ada, ben, moderator) =
        (app.user("ada").await, app.user("ben").await, app.moderator().await);
    let (post, kept) =
        (write(&app, &ada, &published()).await, write(&app, &ada, &published()).await);
    let gone = [comment(&app, &ben, &post, "1").await, comment(&app, &ada, &post, "2").await];
    let left = comment(&app, &ben, &kept, "3").await;
    app.delete(&post).by(&moderator).await;
    for path in &gone {
        check_missing(&app.get(path).await, "Comment", path);
        check_missing(&app.patch(path).by(&moderator).json(&json!({})).await, "Comment", path);
    }
    app.get(&format!("{post}/comments")).await.refused(404, "NOT_FOUND");
    app.get(&left).await.ok(200);
}

#[actix_web::test]
async fn invalid_comment_gets_all_errors() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let comments = format!("{}/comments", write(&app, &ada, &published()).await);
    for (body, errors) in [
        (json!({}), &["content: required"][..]),
        (json!({ "content": "", "postId": 5 }), &["content: length", "postId: unknown_field"]),
        (json!({ "content": "\u{0}" }), &["content: format"]),
        (json!({ "content": ["c"] }), &["content: type"]),
    ] {
        assert_eq!(app.post(&comments).by(&ada).json(&body).await.errors(), errors, "{body}");
    }
    let reply = app.post("/posts/x/comments?odd=1").by(&ada).json(&json!({})).await;
    assert_eq!(reply.errors(), ["content: required", "id: format", "odd: unknown_field"]);
    assert_eq!(app.get(&comments).await.ok(200), json!([]));
}
