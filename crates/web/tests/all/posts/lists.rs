//! Tests of lists of posts and tags: filters and pagination.

use serde_json::{Value, json};

use super::{ids, published_with, write};
use crate::support::{TestApp, TestUser};

async fn write_tagged(app: &TestApp, author: &TestUser, tags: &[&str]) -> String {
    let path = write(app, author, &published_with("tags", json!(tags))).await;
    path.rsplit('/').next().unwrap().to_owned()
}

#[actix_web::test]
async fn posts_are_listed_filtered_and_paged() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user("ada").await, app.user("ben").await);
    let a = write_tagged(&app, &ada, &["Rain", "sky"]).await;
    let b = write_tagged(&app, &ben, &["rain"]).await;
    let c = write_tagged(&app, &ada, &[]).await;
    let [a, b, c] = [&a, &b, &c].map(String::as_str);
    let check = async |query: &str, expected: &[&str]| {
        let reply = app.get(&format!("/posts{query}")).await;
        assert_eq!(ids(&reply.ok(200)), expected, "{query}");
        reply.json()["meta"]["pagination"].clone()
    };
    assert_eq!(check("", &[c, b, a]).await, json!({ "page": 1, "limit": 10, "total": 3 }));
    check("?tag=rain", &[b, a]).await;
    check("?tag=%20RAIN", &[b, a]).await;
    check("?tag=r", &[]).await;
    check(&format!("?authorId={}", ada.id), &[c, a]).await;
    check(&format!("?authorId={}&tag=rain&status=published", ada.id), &[a]).await;
    assert_eq!(check("?limit=2&page=2", &[a]).await, json!({ "page": 2, "limit": 2, "total": 3 }));
    assert_eq!(
        check("?tag=rain&limit=1&page=2", &[a]).await,
        json!({ "page": 2, "limit": 1, "total": 2 })
    );
    check("?page=4294967295&limit=100", &[]).await;
}

#[actix_web::test]
async fn listed_post_equals_post() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let id = write_tagged(&app, &ada, &["b", "a"]).await;
    let list = app.get("/posts").await.ok(200);
    assert_eq!(list, json!([app.get(&format!("/posts/{id}")).await.ok(200)]));
}

#[actix_web::test]
async fn invalid_post_parameters_get_all_errors() {
    let app = TestApp::start().await;
    let query = "?status=open&authorId=me&tag=&expand=x&fields=y&page=0&limit=101&q=rain";
    let expected = [
        "authorId: format",
        "expand: invalid",
        "fields: invalid",
        "limit: range",
        "page: range",
        "q: unknown_field",
        "status: invalid",
        "tag: length",
    ];
    assert_eq!(app.get(&format!("/posts{query}")).await.errors(), expected);
    assert_eq!(
        app.get("/tags?limit=0&sort=name").await.errors(),
        ["limit: range", "sort: unknown_field"]
    );
}

#[actix_web::test]
async fn tags_have_number_of_published_posts() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    assert_eq!(app.get("/tags").await.ok(200), json!([]));
    write_tagged(&app, &ada, &["Rain", "sky"]).await;
    let gone = write_tagged(&app, &ada, &["rain", "wind"]).await;
    let hidden = write_tagged(&app, &ada, &["rain", "snow"]).await;
    write(&app, &ada, &json!({ "title": "t", "content": "c", "tags": ["rain", "draft"] })).await;
    let check = async |expected: &[(&str, u32)]| {
        let count = |(tag, count): &(&str, u32)| json!({ "tag": tag, "postCount": count });
        let expected: Vec<Value> = expected.iter().map(count).collect();
        let reply = app.get("/tags").await;
        assert_eq!(reply.ok(200), json!(expected));
        assert_eq!(reply.json()["meta"]["pagination"]["total"], expected.len());
    };
    check(&[("rain", 3), ("sky", 1), ("snow", 1), ("wind", 1)]).await;
    app.delete(&format!("/posts/{gone}")).by(&ada).await;
    check(&[("rain", 2), ("sky", 1), ("snow", 1)]).await;
    app.patch(&format!("/posts/{hidden}"))
        .by(&ada)
        .json(&json!({ "published": false }))
        .await
        .ok(200);
    check(&[("rain", 1), ("sky", 1)]).await;
    app.patch(&format!("/posts/{hidden}"))
        .by(&ada)
        .json(&json!({ "published": true, "tags": ["sky"] }))
        .await
        .ok(200);
    check(&[("sky", 2), ("rain", 1)]).await;
    let reply = app.get("/tags?limit=1&page=2").await;
    assert_eq!(reply.ok(200), json!([{ "tag": "rain", "postCount": 1 }]));
    assert_eq!(reply.json()["meta"]["pagination"], json!({ "page": 2, "limit": 1, "total": 2 }));
}

#[actix_web::test]
async fn version_2_has_cursors_for_posts_and_tags() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let mut posts = Vec::new();
    for tags in [&["a", "b"][..], &["b"], &["c"], &["b", "d"], &["e"]] {
        posts.push(write_tagged(&app, &ada, tags).await);
    }
    posts.reverse();
    let post = format!("/posts/{}", posts[0]);
    let mut comments = Vec::new();
    for number in 0..5 {
        let path = super::comment(&app, &ada, &post, &number.to_string()).await;
        comments.push(path.rsplit('/').next().unwrap().to_owned());
    }
    comments.reverse();
    let walk = async |path: &str, key: &str| {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let reply = app.get(&format!("//api/v2{path}?limit=2{cursor}")).await;
            let rows = reply.ok(200);
            found.extend(
                rows.as_array().unwrap().iter().map(|row| row[key].as_str().unwrap().to_owned()),
            );
            let meta = reply.json()["meta"]["page"].take();
            assert_eq!(meta["limit"], 2, "{reply}");
            let Some(next) = meta["next"].as_str() else { return found };
            cursor = format!("&cursor={next}");
        }
    };
    assert_eq!(walk("/posts", "id").await, posts);
    assert_eq!(walk(&format!("{post}/comments"), "id").await, comments);
    assert_eq!(walk("/tags", "tag").await, ["b", "a", "c", "d", "e"]);
    let written = app.post("//api/v2/posts").by(&ada).json(&super::published()).await;
    assert!(written.header("Location").starts_with("/api/v2/posts/"), "{written}");
    assert_eq!(app.get("//api/v2/posts?page=1").await.errors(), ["page: unknown_field"]);
    assert_eq!(app.get("/posts?cursor=x").await.errors(), ["cursor: unknown_field"]);
}
