//! Tests of the second API version, whose lists have cursors.

use serde_json::{Value, json};

use super::{Opened, open_as, opening};
use crate::support::{TestApp, TestUser};

/// Creates a market with nine trades, and two others; one of two traders has three API keys and
/// four sessions.
async fn set_up(app: &TestApp) -> (TestUser, Opened) {
    let (carl, ann) = (app.user("carl").await, app.user("ann").await);
    let mut markets = Vec::new();
    for _ in 0..3 {
        app.clock.advance_seconds(1);
        markets.push(open_as(app, &carl, &opening()).await);
    }
    let market = markets.swap_remove(0);
    for trade in 0..9 {
        let trader = if trade % 3 == 0 { &carl } else { &ann };
        market.bet(app, trader, trade % 2, "1").await;
    }
    for _ in 0..3 {
        app.with_key(&ann, &["read"]).await;
        app.signed_in_again(&ann).await;
    }
    (ann, market)
}

/// Returns the rows of a list, each with its distinguishing field.
fn rows(list: &Value) -> Vec<String> {
    let row = |row: &Value| {
        let id = row["id"].as_str().map(str::to_owned);
        id.unwrap_or_else(|| format!("{} {}", row["userId"], row["optionId"]))
    };
    list.as_array().unwrap().iter().map(row).collect()
}

/// Reads all rows of a list of version 2, `limit` at a time.
async fn walk(app: &TestApp, user: &TestUser, path: &str, limit: usize) -> Vec<String> {
    let (mut cursor, mut found) = (String::new(), Vec::new());
    loop {
        let mark = if path.contains('?') { '&' } else { '?' };
        let reply = app.get(&format!("//api/v2{path}{mark}limit={limit}{cursor}")).by(user).await;
        let page = rows(&reply.ok(200));
        let meta = reply.json()["meta"].clone();
        assert_eq!(
            meta,
            json!({ "page": { "next": meta["page"]["next"], "limit": limit } }),
            "no total"
        );
        found.extend(page.iter().cloned());
        let Some(next) = meta["page"]["next"].as_str() else { return found };
        assert_eq!(page.len(), limit, "{path}");
        cursor = format!("&cursor={next}");
    }
}

#[actix_web::test]
async fn cursor_pages_have_rows_of_numbered_pages() {
    let app = TestApp::start().await;
    let (ann, market) = set_up(&app).await;
    for path in [
        "/markets".to_owned(),
        "/markets?sort=closing&status=open".to_owned(),
        "/markets?sort=volume".to_owned(),
        "/accounts".to_owned(),
        "/users".to_owned(),
        "/sessions".to_owned(),
        "/api-keys".to_owned(),
        "/me/bets".to_owned(),
        "/leaderboard".to_owned(),
        "/me/positions".to_owned(),
        format!("/markets/{}/bets", market.id),
        format!("/accounts/{}/transfers", ann.account_id),
    ] {
        let expected = rows(&app.get(&path).by(&ann).await.ok(200));
        assert!(!expected.is_empty(), "{path}");
        for limit in [1, 2, 3, 100] {
            assert_eq!(walk(&app, &ann, &path, limit).await, expected, "{path} by {limit}");
        }
    }
}

#[actix_web::test]
async fn position_cursors_are_ordered_by_holder() {
    let app = TestApp::start().await;
    let (ann, market) = set_up(&app).await;
    let path = format!("/markets/{}/positions", market.id);
    let mut expected = rows(&app.get(&path).await.ok(200));
    assert_eq!(expected.len(), 4);
    for limit in [1, 3] {
        let mut found = walk(&app, &ann, &path, limit).await;
        let holders: Vec<_> =
            found.iter().map(|row| row.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!((&holders[0], &holders[2]), (&holders[1], &holders[3]), "{found:?}");
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }
}

#[actix_web::test]
async fn new_rows_do_not_disturb_cursors() {
    let app = TestApp::start().await;
    let (ann, market) = set_up(&app).await;
    let path = format!("//api/v2/markets/{}/bets?limit=4", market.id);
    let first = app.get(&path).await;
    market.bet(&app, &ann, 0, "1").await;
    let next = first.json()["meta"]["page"]["next"].as_str().unwrap().to_owned();
    let second = app.get(&format!("{path}&cursor={next}")).await;
    let (first, second) = (first.ok(200), second.ok(200));
    let sequence = |list: &Value, at: usize| list[at]["sequence"].as_i64().unwrap();
    assert_eq!((sequence(&first, 0), sequence(&first, 3), sequence(&second, 0)), (9, 6, 5));
}

#[actix_web::test]
async fn cursor_is_valid_for_its_list_only() {
    let app = TestApp::start().await;
    let (_, market) = set_up(&app).await;
    let reply = app.get("//api/v2/markets?limit=1&sort=closing").await;
    let next = reply.json()["meta"]["page"]["next"].as_str().unwrap().to_owned();
    for query in ["sort=closing", "sort=closing&limit=7"] {
        app.get(&format!("//api/v2/markets?{query}&cursor={next}")).await.ok(200);
    }
    let unfiltered = app.get("//api/v2/markets?limit=1").await;
    let unfiltered = unfiltered.json()["meta"]["page"]["next"].as_str().unwrap().to_owned();
    let altered = format!("{}{}", if next.starts_with('A') { "B" } else { "A" }, &next[1..]);
    for path in [
        format!("/markets?cursor={next}"),
        format!("/markets?sort=closing&category=sports&cursor={next}"),
        format!("/markets/{}/bets?cursor={next}", market.id),
        format!("/markets/{}/bets?cursor={unfiltered}", market.id),
        format!("/markets?sort=closing&cursor={altered}"),
        "/markets?cursor=".to_owned(),
        "/markets?cursor=1".to_owned(),
    ] {
        let errors = app.get(&format!("//api/v2{path}")).await.errors();
        assert_eq!(errors, ["cursor: invalid"], "{path}");
    }
}

#[actix_web::test]
async fn versions_reject_parameters_of_other_version() {
    let app = TestApp::start().await;
    assert_eq!(app.get("/markets?cursor=x").await.errors(), ["cursor: unknown_field"]);
    assert_eq!(app.get("//api/v2/markets?page=1").await.errors(), ["page: unknown_field"]);
    let errors = app.get("//api/v2/markets?limit=101&page=0&cursor=x").await.errors();
    assert_eq!(errors, ["cursor: invalid", "limit: range", "page: unknown_field"]);
}

#[actix_web::test]
async fn locations_keep_requested_version() {
    let app = TestApp::start().await;
    let (ann, market) = set_up(&app).await;
    for path in [format!("/markets/{}", market.id), format!("/accounts/{}", ann.account_id)] {
        let (first, second) =
            (app.get(&path).by(&ann).await, app.get(&format!("//api/v2{path}")).by(&ann).await);
        assert_eq!(first.ok(200), second.ok(200), "{path}");
    }
    for base in ["/api/v1", "/api/v2"] {
        let path = format!("/{base}/markets");
        let reply = app.post(&path).by(&ann).key(base).json(&opening()).await;
        let id = reply.ok(201)["id"].as_str().unwrap().to_owned();
        assert_eq!(reply.header("Location"), format!("{base}/markets/{id}"));
        app.get(&format!("/{}", reply.header("Location"))).await.ok(200);
    }
    app.get("//api/v3/markets").await.refused(404, "NOT_FOUND");
}
