//! Tests of search over HTTP: matches, methods and marks.

use serde_json::{Value, json};

use crate::support::{Reply, TestApp, TestUser};

async fn open(app: &TestApp, user: &TestUser, name: &str, description: &str) -> Value {
    let body = json!({
        "name": name, "description": description, "category": "politics",
        "endDate": "2026-01-01T18:00:00Z",
        "options": [{ "name": "Yes" }, { "name": "No" }], "subsidy": "100",
    });
    app.post("/markets")
        .by(user)
        .key(&name.replace(|c: char| !c.is_ascii_alphabetic(), "-"))
        .json(&body)
        .await
        .ok(201)
}

async fn write(
    app: &TestApp,
    author: &TestUser,
    title: &str,
    content: &str,
    published: bool,
) -> Value {
    let body = json!({ "title": title, "content": content, "published": published });
    app.post("/posts").by(author).json(&body).await.ok(201)
}

/// Returns a field of each row, and the method.
fn found(reply: &Reply, name: &str) -> (Vec<String>, String) {
    let rows = reply.ok(200);
    let texts =
        rows.as_array().unwrap().iter().map(|row| row[name].as_str().unwrap().to_owned()).collect();
    (texts, reply.json()["meta"]["method"].as_str().unwrap().to_owned())
}

#[actix_web::test]
async fn word_matches_precede_substring_matches() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    open(&app, &ada, "Rain on Friday", "As measured on the roof.").await;
    open(&app, &ada, "A dry roof", "No rain, none at all.").await;
    open(&app, &ada, "Snow on Friday", "In the valley.").await;
    for (query, names, method) in [
        ("rain", &["Rain on Friday", "A dry roof"][..], "fulltext"),
        ("%22on%20friday%22%20-rain", &["Snow on Friday"], "fulltext"),
        ("dry%20or%20valley", &["A dry roof", "Snow on Friday"], "fulltext"),
        ("vall", &["Snow on Friday"], "substring"),
        ("rain&category=sports", &[], "substring"),
        ("rains", &["Rain on Friday", "A dry roof"], "fulltext"),
        ("frida%20sno", &["Snow on Friday"], "substring"),
        ("%22on%20frid", &["Snow on Friday", "Rain on Friday"], "substring"),
        ("hail", &[], "substring"),
    ] {
        let (found, by) = found(&app.get(&format!("/markets/search?q={query}")).await, "name");
        assert_eq!(found, names, "{query}");
        assert_eq!(by, method, "{query}");
    }
}

#[actix_web::test]
async fn match_has_market_score_and_marks() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let market = open(&app, &ada, "Rain & <b>wind</b>", "It rains again.").await;
    let rows = app.get("/markets/search?q=rain").await.ok(200);
    let hit = rows[0].as_object().unwrap();
    assert!(hit["score"].as_f64().unwrap() > 0.0);
    let marks = json!({
        "name": "<mark>Rain</mark> &amp; &lt;b&gt;wind&lt;/b&gt;",
        "description": "It <mark>rains</mark> again.",
    });
    assert_eq!(hit["highlight"], marks);
    let mut rest = rows[0].clone();
    rest.as_object_mut().unwrap().retain(|name, _| name != "score" && name != "highlight");
    let path = format!("/markets/{}", market["id"].as_str().unwrap());
    assert_eq!(rest, app.get(&path).await.ok(200));
}

#[actix_web::test]
async fn drafts_are_found_by_author_only() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user("ada").await, app.user("ben").await);
    write(&app, &ada, "Rain", "It may.", true).await;
    write(&app, &ada, "Rain, a draft", "It will.", false).await;
    let search = "/posts/search?q=rain";
    assert_eq!(found(&app.get(search).await, "title").0, ["Rain"]);
    assert_eq!(found(&app.get(search).by(&ada).await, "title").0, ["Rain"]);
    let drafts = "/posts/search?q=rain&status=draft";
    assert_eq!(found(&app.get(drafts).by(&ada).await, "title").0, ["Rain, a draft"]);
    assert!(found(&app.get(drafts).by(&ben).await, "title").0.is_empty());
    app.get(drafts).await.refused(401, "UNAUTHORIZED");
    let of_ben = format!("{search}&authorId={}", ben.id);
    assert!(found(&app.get(&of_ben).await, "title").0.is_empty());
}

#[actix_web::test]
async fn matches_are_paged_in_both_versions() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    for number in 1..=5 {
        write(&app, &ada, &format!("Rain {number}"), "It may.", true).await;
    }
    let page = app.get("/posts/search?q=rain&limit=2&page=3").await;
    assert_eq!(found(&page, "title").0, ["Rain 1"]);
    assert_eq!(page.json()["meta"]["pagination"], json!({ "page": 3, "limit": 2, "total": 5 }));
    assert!(found(&app.get("/posts/search?q=rain&page=4294967295").await, "title").0.is_empty());
    let (mut path, mut seen) = ("//api/v2/posts/search?q=rain&limit=2".to_owned(), Vec::new());
    loop {
        let reply = app.get(&path).await;
        seen.extend(found(&reply, "title").0);
        let Some(next) = reply.json()["meta"]["page"]["next"].as_str().map(str::to_owned) else {
            break;
        };
        path = format!("//api/v2/posts/search?q=rain&limit=2&cursor={next}");
    }
    assert_eq!(seen, ["Rain 5", "Rain 4", "Rain 3", "Rain 2", "Rain 1"]);
}

#[actix_web::test]
async fn invalid_search_gets_all_errors() {
    let app = TestApp::start().await;
    let long = "a".repeat(501);
    let words = "a%20".repeat(33);
    for (path, expected) in [
        ("/markets/search".to_owned(), &["q: required"][..]),
        ("/posts/search?q=%20".to_owned(), &["q: length"]),
        (format!("/markets/search?q={long}"), &["q: length"]),
        (format!("/markets/search?q={words}"), &["q: length"]),
        ("/posts/search?q=a%00b".to_owned(), &["q: format"]),
        (
            "/markets/search?q=a&status=x&creatorId=x&sort=name".to_owned(),
            &["creatorId: format", "sort: unknown_field", "status: invalid"],
        ),
    ] {
        assert_eq!(app.get(&path).await.errors(), expected, "{path}");
    }
}
