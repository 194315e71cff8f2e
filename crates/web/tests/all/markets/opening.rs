//! Tests of creating a market: its initial state, and every validation error.

use serde_json::{Value, json};

use super::{audit, command, fresh_key, open, open_as, opening, opening_with, probabilities};
use crate::support::TestApp;

#[actix_web::test]
async fn market_opens_as_requested() {
    let app = TestApp::start().await;
    let creator = app.user("carl").await;
    let reply = command(&app, "/markets", &creator, &opening()).await;
    let body = reply.ok(201);
    let id = body["id"].as_str().unwrap();
    assert_eq!(reply.header("Location"), format!("/api/v1/markets/{id}"));
    let option = |index: usize, name: &str| {
        json!({
            "id": body["options"][index]["id"], "name": name, "probability": 0.5,
            "initialProbability": 0.5, "shares": "0.00",
        })
    };
    let expected = json!({
        "id": id, "creatorId": creator.id.to_string(), "name": "Will it rain on Friday?",
        "description": "As measured on the roof at noon.", "category": "politics", "status": "open",
        "endDate": "2026-01-01T18:00:00Z", "subsidy": "100.00", "feeBps": 0, "volume": "0.00",
        "betCount": 0, "revision": 1, "version": 1, "options": [option(0, "Yes"), option(1, "No")],
        "createdAt": "2026-01-01T12:00:00Z", "updatedAt": "2026-01-01T12:00:00Z",
    });
    assert_eq!(body, expected);
    assert_eq!(app.get(&format!("/markets/{id}")).await.ok(200), expected);
    audit(&app).await;
}

#[actix_web::test]
async fn probabilities_may_be_given_for_all_options() {
    let app = TestApp::start().await;
    let creator = app.user("carl").await;
    let option = |name: &str, probability: f64| json!({ "name": name, "probability": probability });
    let options = json!([option("A", 0.2), option("B", 0.3), option("C", 0.5)]);
    let market = open_as(&app, &creator, &opening_with("options", options)).await;
    assert_eq!(probabilities(&market.body), [0.2, 0.3, 0.5]);
    // Within one millionth of 1 they are normalized.
    let thirds =
        json!([option("A", 0.333_333_3), option("B", 0.333_333_3), option("C", 0.333_333_3)]);
    let market = open_as(&app, &creator, &opening_with("options", thirds)).await;
    assert_eq!(probabilities(&market.body), [0.333_333; 3]);
}

#[actix_web::test]
async fn options_that_look_alike_are_rejected() {
    let app = TestApp::start().await;
    let creator = app.user("carl").await;
    for (one, other) in
        [("é", "e\u{301}"), ("Yes", "Уes"), ("Yes", "YES "), ("Will", "WiII"), ("A B", "A\u{A0}B")]
    {
        let options = json!([{ "name": one }, { "name": other }]);
        let reply = command(&app, "/markets", &creator, &opening_with("options", options)).await;
        assert_eq!(reply.errors(), ["options[1].name: repeated"], "{one:?} and {other:?}");
    }
    let options = json!([{ "name": "Yes" }, { "name": "Ye\u{200B}s" }]);
    let reply = command(&app, "/markets", &creator, &opening_with("options", options)).await;
    assert_eq!(reply.errors(), ["options[1].name: format"]);
    open_as(&app, &creator, &opening_with("options", json!([{ "name": "é" }, { "name": "e" }])))
        .await;
}

#[actix_web::test]
async fn invalid_opening_gets_all_errors() {
    let app = TestApp::start().await;
    let creator = app.user("carl").await;
    let body = json!({
        "name": "ab",
        "description": "too short",
        "category": "weather",
        "endDate": "2026-01-01T12:00:00Z",
        "options": [
            { "name": "Yes", "probability": 0.5 }, { "name": " yes" },
            { "name": "", "probability": 1 },
            { "probability": "x" }, { "name": "YES", "colour": "red" },
        ],
        "subsidy": 12.5,
        "creatorId": "me",
    });
    let reply = app.post("/markets").by(&creator).json(&body).await;
    let expected = [
        "Idempotency-Key: required",
        "category: invalid",
        "creatorId: unknown_field",
        "description: length",
        "name: length",
        "options[1].name: repeated",
        "options[1].probability: required",
        "options[2].name: length",
        "options[2].probability: range",
        "options[3].name: required",
        "options[3].probability: type",
        "options[4].colour: unknown_field",
        "options[4].name: repeated",
        "options[4].probability: required",
        "subsidy: type",
    ];
    assert_eq!(reply.errors(), expected);
    let missing = app.post("/markets").by(&creator).key("k").json(&json!({})).await;
    let fields = ["category", "description", "endDate", "name", "options", "subsidy"];
    assert_eq!(missing.errors(), fields.map(|field| format!("{field}: required")));
    assert_eq!(audit(&app).await.markets, 0);
}

#[actix_web::test]
async fn opening_fields_have_limits() {
    let app = TestApp::start().await;
    let creator = app.user("carl").await;
    let check = async |field: &str, value: Value, expected: &[&str]| {
        let body = opening_with(field, value);
        let reply = command(&app, "/markets", &creator, &body).await;
        assert_eq!(reply.errors(), expected, "{body}");
    };
    let names = |count: usize| {
        (0..count).map(|index| json!({ "name": format!("option {index}") })).collect::<Vec<_>>()
    };
    check("name", json!("é".repeat(101)), &["name: length"]).await;
    check("name", json!(" \t "), &["name: format"]).await;
    check("description", json!("x".repeat(1_001)), &["description: length"]).await;
    check("category", json!("Politics"), &["category: invalid"]).await;
    check("category", Value::Null, &["category: required"]).await;
    check("endDate", json!("tomorrow"), &["endDate: format"]).await;
    check("endDate", json!("2026-01-01T12:00:00Z"), &["endDate: invalid"]).await;
    check("options", json!(names(1)), &["options: length"]).await;
    check("options", json!(names(11)), &["options: length"]).await;
    check(
        "options",
        json!([{ "name": "x".repeat(51) }, { "name": "y" }]),
        &["options[0].name: length"],
    )
    .await;
    check("subsidy", json!("0.00"), &["subsidy: range"]).await;
    check("subsidy", json!("-1"), &["subsidy: format"]).await;
    check("subsidy", json!("0.001"), &["subsidy: format"]).await;
    check("subsidy", json!("10000000000000.01"), &["subsidy: range"]).await;
    let pair = |a: f64, b: f64| json!([{ "name": "a", "probability": a }, { "name": "b", "probability": b }]);
    check("options", pair(0.5, 0.500_002), &["options: invalid"]).await;
    check(
        "options",
        pair(0.0, 1.0),
        &["options[0].probability: range", "options[1].probability: range"],
    )
    .await;
    check(
        "options",
        pair(-0.5, 1.5),
        &["options[0].probability: range", "options[1].probability: range"],
    )
    .await;
    for good in [json!(names(2)), json!(names(10)), pair(0.5, 0.500_000_9)] {
        let mut body = opening_with("subsidy", json!(1));
        body["options"] = good;
        open_as(&app, &creator, &body).await;
    }
}

#[actix_web::test]
async fn opening_requires_authentication() {
    let app = TestApp::start().await;
    let reply = app.post("/markets").key(&fresh_key()).json(&json!({})).await;
    reply.refused(401, "UNAUTHORIZED");
    assert_eq!(audit(&app).await.markets, 0);
}

#[actix_web::test]
async fn repeated_opening_returns_first_response() {
    let app = TestApp::start().await;
    let (creator, ann) = (app.user("carl").await, app.user("ann").await);
    let first = app.post("/markets").by(&creator).key("opening").json(&opening()).await;
    let market = super::Opened::from_body(first.ok(201));
    market.bet(&app, &ann, 0, "50").await;
    app.clock.advance_seconds(super::SECONDS_TO_END + 1);
    let again = app.post("/markets").by(&creator).key("opening").json(&opening()).await;
    assert_eq!(again.header("Idempotency-Replayed"), "true");
    assert_eq!(first.header("Idempotency-Replayed"), "");
    assert_eq!(
        (again.status, &again.body),
        (first.status, &first.body),
        "the end date has passed since"
    );
    assert_eq!(again.header("Location"), first.header("Location"));
    let other = app
        .post("/markets")
        .by(&creator)
        .key("opening")
        .json(&opening_with("subsidy", json!(5)))
        .await;
    other.refused(422, "IDEMPOTENCY_MISMATCH");
    assert_eq!(audit(&app).await.markets, 1);
}

#[actix_web::test]
async fn unknown_markets_are_not_found() {
    let app = TestApp::start().await;
    let user = app.user("carl").await;
    open(&app, &user).await;
    let id = "0190163d-8694-739b-aea5-966c26f8ad91";
    for part in ["", "/bets", "/positions", "/prices", "/resolution"] {
        let reply = app.get(&format!("/markets/{id}{part}")).await;
        assert_eq!(
            reply.refused(404, "NOT_FOUND")["error"],
            format!("Market not found: {id}"),
            "{part}"
        );
        let reply = app.get(&format!("/markets/5{part}")).await;
        assert_eq!(reply.errors(), ["id: format"], "{part}");
    }
    for part in ["close", "cancellation"] {
        let reply = command(&app, &format!("/markets/{id}/{part}"), &user, &json!({})).await;
        assert_eq!(
            reply.refused(404, "NOT_FOUND")["error"],
            format!("Market not found: {id}"),
            "{part}"
        );
    }
}
