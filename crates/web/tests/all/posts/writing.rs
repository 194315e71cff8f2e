//! Tests of posts from creation to deletion, with unchanged text.

use serde_json::{Value, json};

use super::{check_missing, comment, path_of, published, published_with, write};
use crate::support::TestApp;

#[actix_web::test]
async fn post_is_created_read_changed_and_deleted() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let body = json!({
        "title": "On rain", "content": "It may.", "published": true, "tags": ["Sky ", "b"],
    });
    let reply = app.post("/posts").by(&ada).json(&body).await;
    let post = reply.ok(201);
    let path = path_of("/posts", &post);
    assert_eq!(
        (reply.header("Location"), reply.header("ETag")),
        (&*format!("/api/v1{path}"), "\"1\"")
    );
    let mut expected = json!({
        "id": post["id"],
        "authorId": ada.id.to_string(),
        "title": "On rain",
        "content": "It may.",
        "published": true,
        "tags": ["b", "sky"],
        "version": 1,
        "createdAt": "2026-01-01T12:00:00Z",
        "updatedAt": "2026-01-01T12:00:00Z",
    });
    assert_eq!(post, expected);
    assert_eq!(app.get(&path).await.ok(200), expected);

    app.clock.advance_seconds(60);
    let edit = json!({ "title": "On snow", "tags": [] });
    let reply = app.patch(&path).by(&ada).json(&edit).await;
    for (field, value) in [
        ("title", json!("On snow")),
        ("tags", json!([])),
        ("version", json!(2)),
        ("updatedAt", json!("2026-01-01T12:01:00Z")),
    ] {
        expected[field] = value;
    }
    assert_eq!((reply.ok(200), reply.header("ETag")), (expected.clone(), "\"2\""));
    assert_eq!(app.get(&path).await.ok(200), expected);

    let reply = app.delete(&path).by(&ada).await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (204, 0));
    check_missing(&app.get(&path).await, "Post", &path);
    check_missing(&app.delete(&path).by(&ada).await, "Post", &path);
    check_missing(&app.patch(&path).by(&ada).json(&json!({})).await, "Post", &path);
}

#[actix_web::test]
async fn omitted_or_equal_fields_change_nothing() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let path = write(&app, &ada, &published_with("tags", json!(["a"]))).await;
    let before = app.get(&path).await.ok(200);
    app.clock.advance_seconds(60);
    for edit in [json!({}), published(), json!({ "tags": [" A"], "title": null })] {
        let reply = app.patch(&path).by(&ada).json(&edit).await;
        assert_eq!((reply.ok(200), reply.header("ETag")), (before.clone(), "\"1\""), "{edit}");
    }
}

#[actix_web::test]
async fn new_post_is_draft_until_published() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let draft =
        app.post("/posts").by(&ada).json(&json!({ "title": "t", "content": "c" })).await.ok(201);
    assert_eq!((&draft["published"], &draft["tags"]), (&json!(false), &json!([])));
    let path = path_of("/posts", &draft);
    app.get(&path).await.refused(404, "NOT_FOUND");
    let published = app.patch(&path).by(&ada).json(&json!({ "published": true })).await.ok(200);
    assert_eq!((&published["published"], &published["version"]), (&json!(true), &json!(2)));
    assert_eq!(app.get(&path).await.ok(200), published);
    app.patch(&path).by(&ada).json(&json!({ "published": false })).await.ok(200);
    app.get(&path).await.refused(404, "NOT_FOUND");
}

#[actix_web::test]
async fn post_text_is_returned_unchanged() {
    let app = TestApp::start_with_bodies_of(1024 * 1024).await;
    let ada = app.user("ada").await;
    for text in [
        "<script>alert('1')</script> &amp; <b onclick=\"x\">",
        "two  spaces\u{3000}inside",
        "Zoë 選挙 💬 é",
        "'; DROP TABLE posts; -- %s {0} \\ \\u0041",
    ] {
        let body = json!({ "title": text, "content": text, "published": true });
        let path = write(&app, &ada, &body).await;
        let reply = app.get(&path).await;
        assert_eq!(reply.header("X-Content-Type-Options"), "nosniff");
        let post = reply.ok(200);
        assert_eq!((&post["title"], &post["content"]), (&json!(text), &json!(text)));
        let said = app.get(&comment(&app, &ada, &path, text).await).await.ok(200);
        assert_eq!(said["content"], text);
    }
}

#[actix_web::test]
async fn post_text_is_stored_in_normal_form() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let body = json!({
        "title": " Cafe\u{301} ", "content": " one\r\n\ttwo\r ", "tags": ["E\u{301}TE\u{301}"],
    });
    let post = app.post("/posts").by(&ada).json(&body).await.ok(201);
    assert_eq!((&post["title"], &post["content"]), (&json!("Café"), &json!("one\n\ttwo")));
    assert_eq!(post["tags"], json!(["été"]));
}

#[actix_web::test]
async fn unreadable_text_is_rejected() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let check = async |field: &str, value: &str| {
        let errors =
            app.post("/posts").by(&ada).json(&published_with(field, json!(value))).await.errors();
        assert_eq!(errors, [format!("{field}: format")], "{value:?}");
    };
    for value in
        ["\u{200B}\u{200B}", "a\u{202E}b", "a\u{FEFF}b", "a\u{0}b", "a\u{2028}b", "a\u{E000}b"]
    {
        check("title", value).await;
        check("content", value).await;
    }
    check("title", "two\nlines").await;
}

#[actix_web::test]
async fn maximum_lengths_are_accepted_and_enforced() {
    let app = TestApp::start_with_bodies_of(1024 * 1024).await;
    let ada = app.user("ada").await;
    let tags: Vec<_> = (0..10).map(|number| format!("{number}{}", "é".repeat(29))).collect();
    let body = |more: usize| {
        json!({
            "title": "選".repeat(200 + more),
            "content": "💬".repeat(50_000 + more),
            "tags": tags.iter().map(|tag| format!("{tag}{}", "x".repeat(more))).collect::<Vec<_>>(),
        })
    };
    let path = write(&app, &ada, &body(0)).await;
    assert_eq!(app.get(&path).by(&ada).await.ok(200)["content"], body(0)["content"]);
    let mut expected: Vec<_> = (0..10).map(|number| format!("tags[{number}]: length")).collect();
    expected.extend(["content: length".to_owned(), "title: length".to_owned()]);
    expected.sort();
    assert_eq!(app.post("/posts").by(&ada).json(&body(1)).await.errors(), expected);
    assert_eq!(app.patch(&path).by(&ada).json(&body(1)).await.errors(), expected);
    let said = |length| json!({ "content": "💬".repeat(length) });
    let comments = format!("{path}/comments");
    let written = app.post(&comments).by(&ada).json(&said(5_000)).await.ok(201);
    let written = path_of("/comments", &written);
    assert_eq!(app.post(&comments).by(&ada).json(&said(5_001)).await.errors(), ["content: length"]);
    assert_eq!(app.patch(&written).by(&ada).json(&said(5_001)).await.errors(), ["content: length"]);
}

#[actix_web::test]
async fn invalid_post_gets_all_errors() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let path = write(&app, &ada, &published()).await;
    let before = app.get(&path).await.ok(200);
    let check = async |body: Value, expected: &[&str]| {
        assert_eq!(app.post("/posts").by(&ada).json(&body).await.errors(), expected, "{body}");
    };
    check(json!({}), &["content: required", "title: required"]).await;
    let odd = json!({
        "title": "", "content": " \n", "published": "yes", "author": "me",
        "tags": ["", "x", "b\u{7}", "X ", 5, "x"],
    });
    let errors = [
        "author: unknown_field",
        "content: format",
        "published: type",
        "tags[0]: length",
        "tags[2]: format",
        "tags[3]: repeated",
        "tags[4]: type",
        "tags[5]: repeated",
        "title: length",
    ];
    check(odd.clone(), &errors).await;
    check(published_with("tags", json!("a, b")), &["tags: type"]).await;
    let eleven: Vec<_> = (0..11).map(|number| number.to_string()).collect();
    check(published_with("tags", json!(eleven)), &["tags: length"]).await;
    assert_eq!(app.patch(&path).by(&ada).json(&odd).await.errors(), errors);
    let reply = app.patch("/posts/x?odd=1").by(&ada).header("If-Match", "1").json(&odd).await;
    assert_eq!(reply.errors().len(), errors.len() + 3, "{reply}");
    assert_eq!(
        app.delete(&format!("{path}?odd=1")).by(&ada).await.errors(),
        ["odd: unknown_field"]
    );
    assert_eq!(app.get(&path).await.ok(200), before);
}
