//! Tests of lists of markets, bets and positions, and of conditional requests.

use serde_json::{Value, json};

use super::{SECONDS_TO_END, audit, balance, command, open, open_as, opening};
use crate::support::{TestApp, TestUser};

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
}

/// Creates a market a second after the previous one that ends so many hours after the first.
async fn open_one(app: &TestApp, user: &TestUser, category: &str, hours: u32) -> super::Opened {
    app.clock.advance_seconds(1);
    let mut body = opening();
    body["category"] = json!(category);
    body["endDate"] = json!(format!("2026-01-01T{:02}:00:00Z", 12 + hours));
    open_as(app, user, &body).await
}

#[actix_web::test]
async fn markets_are_listed_filtered_sorted_and_paged() {
    let app = TestApp::start().await;
    let (carl, ann) = (app.user("carl").await, app.user("ann").await);
    let none = app.get("/markets").await;
    assert_eq!(
        none.json()["meta"]["pagination"]["total"],
        0,
        "what is opened from here on counts at once"
    );
    let a = open_one(&app, &carl, "politics", 3).await;
    let b = open_one(&app, &carl, "sports", 1).await;
    let c = open_one(&app, &ann, "sports", 2).await;
    b.bet(&app, &ann, 0, "5").await;
    a.bet(&app, &ann, 0, "7").await;
    let [a, b, c] = [&a, &b, &c].map(|market| market.id.as_str());
    let check = async |query: &str, expected: &[&str]| {
        let reply = app.get(&format!("/markets{query}")).await;
        let data = reply.ok(200);
        assert_eq!(ids(&data), expected, "{query}");
        reply.json()["meta"]["pagination"].clone()
    };
    let pagination = check("", &[c, b, a]).await;
    assert_eq!(pagination, json!({ "page": 1, "limit": 10, "total": 3 }));
    check("?sort=newest", &[c, b, a]).await;
    check("?sort=closing", &[b, c, a]).await;
    check("?sort=volume", &[a, b, c]).await;
    check("?category=sports", &[c, b]).await;
    check("?category=nonsense", &[]).await;
    check(&format!("?creatorId={}&category=sports", carl.id), &[b]).await;
    let pagination = check("?limit=2&page=2", &[a]).await;
    assert_eq!(pagination, json!({ "page": 2, "limit": 2, "total": 3 }));
    check("?limit=2&page=3", &[]).await;
    check("?status=open", &[c, b, a]).await;
    check("?status=closed", &[]).await;

    app.clock.advance_seconds(3_600);
    check("?status=open", &[c, a]).await;
    check("?status=closed", &[b]).await;
    let path = format!("/markets/{a}/cancellation");
    assert_eq!(check("?status=cancelled", &[]).await["total"], 0);
    command(&app, &path, &carl, &json!({})).await.ok(200);
    assert_eq!(check("?status=cancelled", &[a]).await["total"], 1);
    check("?status=resolved", &[]).await;
    check("?status=open&sort=closing", &[c]).await;
}

#[actix_web::test]
async fn listed_market_equals_market() {
    let app = TestApp::start().await;
    let carl = app.user("carl").await;
    let market = open(&app, &carl).await;
    market.bet(&app, &carl, 1, "3").await;
    app.clock.advance_seconds(SECONDS_TO_END);
    let list = app.get("/markets").await.ok(200);
    assert_eq!(list, json!([market.read(&app).await]));
    assert_eq!(list[0]["status"], "closed");
}

#[actix_web::test]
async fn invalid_market_parameters_get_all_errors() {
    let app = TestApp::start().await;
    let carl = app.user("carl").await;
    let market = open(&app, &carl).await;
    let query = "?category=&status=paused&creatorId=me&sort=best&page=0&limit=101&q=rain";
    let expected = [
        "category: length",
        "creatorId: format",
        "limit: range",
        "page: range",
        "q: unknown_field",
        "sort: invalid",
        "status: invalid",
    ];
    assert_eq!(app.get(&format!("/markets{query}")).await.errors(), expected);
    let lists = ["/markets".to_owned(), market.at("bets"), market.at("positions")];
    for path in &lists {
        for (query, error) in [
            ("page=0", "page: range"),
            ("page=x", "page: type"),
            ("page=1&page=2", "page: repeated"),
            ("limit=0", "limit: range"),
            ("limit=101", "limit: range"),
            ("limit=-1", "limit: type"),
            ("odd=1", "odd: unknown_field"),
        ] {
            assert_eq!(
                app.get(&format!("{path}?{query}")).await.errors(),
                [error],
                "{path}?{query}"
            );
        }
        app.get(&format!("{path}?page=4294967295&limit=100")).await.ok(200);
    }
}

#[actix_web::test]
async fn routes_without_parameters_reject_any() {
    let app = TestApp::start().await;
    let carl = app.user("carl").await;
    let market = open(&app, &carl).await;
    let bet = market.bet(&app, &carl, 0, "1").await;
    let winner = json!({ "optionId": market.options[0] });
    let before = market.read(&app).await;
    for part in ["bets", "sales", "quotes", "close", "resolution", "cancellation"] {
        let reply =
            command(&app, &format!("{}?dryRun=true", market.at(part)), &carl, &winner).await;
        assert!(reply.errors().contains(&"dryRun: unknown_field".to_owned()), "{part}");
    }
    assert_eq!(market.read(&app).await, before);
    let judge = app.moderator().await;
    command(&app, &market.at("resolution"), &judge, &winner).await.ok(200);
    let bet = format!("/bets/{}", bet["id"].as_str().unwrap());
    for path in [market.path.clone(), market.at("resolution"), bet] {
        assert_eq!(
            app.get(&format!("{path}?odd=1")).await.errors(),
            ["odd: unknown_field"],
            "{path}"
        );
        app.get(&path).await.ok(200);
    }
}

#[actix_web::test]
async fn bets_are_listed_newest_first_without_accounts() {
    let app = TestApp::start().await;
    let (carl, ann) = (app.user("carl").await, app.user("ann").await);
    let market = open(&app, &carl).await;
    for amount in ["1", "2", "3"] {
        market.bet(&app, &ann, 0, amount).await;
    }
    market.sell(&app, &ann, 0, "2").await;
    let reply = app.get(&format!("{}?limit=3", market.at("bets"))).await;
    assert_eq!(reply.json()["meta"]["pagination"], json!({ "page": 1, "limit": 3, "total": 4 }));
    let rows = reply.ok(200);
    let rows = rows.as_array().unwrap();
    let sequences: Vec<_> = rows.iter().map(|row| row["sequence"].as_i64().unwrap()).collect();
    assert_eq!(sequences, [4, 3, 2]);
    assert_eq!((&rows[0]["side"], &rows[1]["amount"]), (&json!("sell"), &json!("3.00")));
    for row in rows {
        assert_eq!(row["userId"], ann.id.to_string());
        assert!(
            row["accountId"].is_null() && row["transferId"].is_null() && row["balance"].is_null(),
            "{row}"
        );
    }
    let last = app.get(&format!("{}?limit=3&page=2", market.at("bets"))).await.ok(200);
    assert_eq!((last.as_array().unwrap().len(), &last[0]["sequence"]), (1, &json!(1)));
}

#[actix_web::test]
async fn positions_have_holder_and_value() {
    let app = TestApp::start().await;
    let (carl, ann, bob) = (app.user("carl").await, app.user("ann").await, app.user("bob").await);
    let market = open(&app, &carl).await;
    market.bet(&app, &ann, 0, "10").await;
    market.bet(&app, &bob, 0, "50").await;
    let sale = market.sell(&app, &bob, 0, "5").await;
    market.bet(&app, &ann, 1, "1").await;
    let rows = app.get(&market.at("positions")).await.ok(200);
    let holders: Vec<_> =
        rows.as_array().unwrap().iter().map(|r| (&r["userId"], &r["optionId"])).collect();
    let (ann_id, bob_id) = (json!(ann.id.to_string()), json!(bob.id.to_string()));
    let [yes, no] = [json!(market.options[0]), json!(market.options[1])];
    assert_eq!(holders, [(&bob_id, &yes), (&ann_id, &yes), (&ann_id, &no)]);
    assert_eq!((&rows[0]["spent"], &rows[0]["received"]), (&json!("50.00"), &sale["amount"]));
    let price = market.read(&app).await["options"][0]["probability"].as_f64().unwrap();
    let number = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let worth = number(&rows[0]["shares"]) * price;
    assert!((worth - 0.01..=worth).contains(&number(&rows[0]["value"])), "{worth}: {rows}");
    assert!(rows[0]["accountId"].is_null());

    let winner = json!({ "optionId": market.options[0] });
    let held = balance(&app, &bob).await;
    command(&app, &market.at("resolution"), &carl, &winner).await.ok(200);
    let decided = app.get(&market.at("positions")).await.ok(200);
    assert_eq!((&decided[0]["shares"], &decided[0]["value"]), (&rows[0]["shares"], &Value::Null));
    assert!(balance(&app, &bob).await > held);
    audit(&app).await;
}

#[actix_web::test]
async fn known_market_version_returns_no_body() {
    let app = TestApp::start().await;
    let carl = app.user("carl").await;
    let market = open(&app, &carl).await;
    let first = app.get(&market.path).await;
    assert_eq!((first.status.as_u16(), first.header("ETag")), (200, "\"1\""));
    for known in ["\"1\"", "W/\"1\"", "\"7\", \"1\"", "*"] {
        let reply = app.get(&market.path).header("If-None-Match", known).await;
        assert_eq!((reply.status.as_u16(), reply.header("ETag")), (304, "\"1\""), "{known}");
        assert!(reply.body.is_empty());
    }
    market.bet(&app, &carl, 0, "1").await;
    for known in ["\"1\"", "1", "nonsense"] {
        let reply = app.get(&market.path).header("If-None-Match", known).await;
        assert_eq!(
            (reply.ok(200)["version"].as_i64(), reply.header("ETag")),
            (Some(2), "\"2\""),
            "{known}"
        );
    }
}
