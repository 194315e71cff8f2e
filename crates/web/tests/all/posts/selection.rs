//! Tests of `expand` and `fields`: embedded resources and selected fields.

use serde_json::{Value, json};

use super::{comment, id_of, published, published_with, write};
use crate::support::TestApp;

#[actix_web::test]
async fn posts_embed_related_resources() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user("ada").await, app.user("ben").await);
    let one = write(&app, &ada, &published()).await;
    let two = write(&app, &ben, &published()).await;
    let said = comment(&app, &ben, &one, "Well said").await;
    let plain = app.get("/posts").await.ok(200);
    assert!(plain[0].get("author").is_none() && plain[0].get("comments").is_none(), "{plain}");

    let author = |user: &crate::support::TestUser, name: &str| {
        let (id, created) = (user.id.to_string(), "2026-01-01T12:00:00Z");
        json!({
            "id": id, "name": name, "avatar": null, "role": "USER", "createdAt": created,
            "updatedAt": created,
        })
    };
    let expanded = app.get(&format!("{one}?expand=author,comments")).await.ok(200);
    assert_eq!(expanded["author"], author(&ada, "ada"), "the email address is not for others");
    assert_eq!(expanded["comments"], json!([app.get(&said).await.ok(200)]));
    let rows = app.get("/posts?expand=comments,author").await.ok(200);
    assert_eq!(rows[1], expanded);
    assert_eq!((&rows[0]["author"], &rows[0]["comments"]), (&author(&ben, "ben"), &json!([])));
    assert_eq!(two, format!("/posts/{}", id_of(&rows[0])));
    let authors = app.get("/posts?expand=author").await.ok(200);
    assert!(authors[0].get("comments").is_none() && authors[0]["author"].is_object(), "{authors}");
    let own = app.get(&format!("{one}?expand=author")).by(&ada).await.ok(200);
    assert_eq!(own["author"], author(&ada, "ada"), "nor is it here for oneself");
}

#[actix_web::test]
async fn post_embeds_newest_comments_only() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let (one, two) = (write(&app, &ada, &published()).await, write(&app, &ada, &published()).await);
    for number in 1..=22 {
        comment(&app, &ada, &one, &number.to_string()).await;
    }
    comment(&app, &ada, &two, "0").await;
    let contents = |post: &Value| {
        let comments = post["comments"].as_array().unwrap().iter();
        comments
            .map(|comment| comment["content"].as_str().unwrap().parse().unwrap())
            .collect::<Vec<u32>>()
    };
    let newest: Vec<_> = (3..=22).rev().collect();
    assert_eq!(contents(&app.get(&format!("{one}?expand=comments")).await.ok(200)), newest);
    let rows = app.get("/posts?expand=comments").await.ok(200);
    assert_eq!((contents(&rows[0]), contents(&rows[1])), (vec![0], newest));
}

#[actix_web::test]
async fn response_has_selected_fields() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let path = write(&app, &ada, &published_with("tags", json!(["a"]))).await;
    let post = app.get(&path).await.ok(200);
    let check = async |query: &str, expected: Value| {
        assert_eq!(app.get(&format!("{path}?{query}")).await.ok(200), expected, "{query}");
        assert_eq!(app.get(&format!("/posts?{query}")).await.ok(200), json!([expected]), "{query}");
    };
    check("fields=id", json!({ "id": post["id"] })).await;
    check("fields=tags,title", json!({ "title": "On rain", "tags": ["a"] })).await;
    check("fields=author", json!({})).await;
    check(
        "fields=title,comments&expand=author,comments",
        json!({ "title": "On rain", "comments": [] }),
    )
    .await;
    let reply = app.get("/posts?fields=id&limit=1").await;
    assert_eq!(reply.json()["meta"]["pagination"], json!({ "page": 1, "limit": 1, "total": 1 }));
}

#[actix_web::test]
async fn unknown_selected_names_are_rejected() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let path = write(&app, &ada, &published()).await;
    for list in ["/posts", &path] {
        for (query, errors) in [
            ("expand=", &["expand: invalid"][..]),
            ("expand=bets", &["expand: invalid"]),
            ("expand=author,author.posts", &["expand: invalid"]),
            ("fields=", &["fields: invalid"]),
            ("fields=id,email", &["fields: invalid"]),
            ("fields=Title&expand=x", &["expand: invalid", "fields: invalid"]),
            ("fields=id&fields=title", &["fields: repeated"]),
        ] {
            assert_eq!(
                app.get(&format!("{list}?{query}")).await.errors(),
                errors,
                "{list}?{query}"
            );
        }
    }
}
