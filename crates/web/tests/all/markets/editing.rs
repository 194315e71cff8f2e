//! Tests of changing an open market.

use serde_json::{Value, json};

use super::{Opened, SECONDS_TO_END, audit, command, open, opening, snapshot};
use crate::support::{TestApp, TestUser};

/// Changes a market, and returns the market and its tag.
async fn edited(app: &TestApp, market: &Opened, by: &TestUser, body: Value) -> (Value, String) {
    let reply = app.patch(&market.path).by(by).json(&body).await;
    (reply.ok(200), reply.header("ETag").to_owned())
}

#[actix_web::test]
async fn edit_changes_given_fields_only() {
    let app = TestApp::start().await;
    let (creator, moderator, admin) =
        (app.user("carl").await, app.moderator().await, app.admin().await);
    let market = open(&app, &creator).await;
    app.clock.advance_seconds(5);
    let (seen, tag) = edited(&app, &market, &creator, json!({ "name": "Will it snow?" })).await;
    let mut expected = market.body.clone();
    expected["name"] = json!("Will it snow?");
    (expected["version"], expected["updatedAt"]) = (json!(2), json!("2026-01-01T12:00:05Z"));
    assert_eq!((&seen, tag.as_str()), (&expected, "\"2\""));
    assert_eq!(market.read(&app).await, expected);
    edited(&app, &market, &moderator, json!({ "description": "As seen from the roof." })).await;
    let (seen, tag) =
        edited(&app, &market, &admin, json!({ "endDate": "2026-01-01T12:00:06+00:00" })).await;
    expected["description"] = json!("As seen from the roof.");
    (expected["endDate"], expected["version"]) = (json!("2026-01-01T12:00:06Z"), json!(4));
    assert_eq!((&seen, tag.as_str()), (&expected, "\"4\""));
    for nothing in
        [json!({}), json!({ "name": "Will it snow?", "endDate": "2026-01-01T12:00:06Z" })]
    {
        app.clock.advance_micros(100);
        assert_eq!(edited(&app, &market, &creator, nothing).await, (expected.clone(), tag.clone()));
    }
    audit(&app).await;
}

#[actix_web::test]
async fn bets_and_edits_are_serialized() {
    let app = TestApp::start().await;
    let (creator, ann) = (app.user("carl").await, app.user("ann").await);
    let market = open(&app, &creator).await;
    let first = market.bet(&app, &ann, 0, "10").await;
    let later = json!({ "endDate": "2026-01-03T00:00:00Z" });
    let (seen, _) = edited(&app, &market, &creator, later).await;
    assert_eq!((&seen["version"], &seen["betCount"]), (&json!(3), &json!(1)));
    let order = json!({ "optionId": market.options[0], "side": "buy", "amount": "10" });
    let quote = app.post(&market.at("quotes")).json(&order).await.ok(200);
    assert_eq!(quote["marketVersion"], 3);
    // After the market's original end date.
    app.clock.advance_seconds(SECONDS_TO_END + 1);
    assert_eq!(market.read(&app).await["status"], "open");
    let second = market.bet(&app, &ann, 0, "10").await;
    assert_eq!((&second["shares"], &second["marketVersion"]), (&quote["shares"], &json!(4)));
    assert_eq!((&second["sequence"], &second["pricesBefore"]), (&json!(2), &first["pricesAfter"]));
    let bets = app.get(&market.at("bets")).await.ok(200);
    assert_eq!((&bets[0]["id"], &bets[1]["id"]), (&second["id"], &first["id"]));
    let query = "prices?interval=1h&from=2026-01-01T12:00:00Z&to=2026-01-02T00:00:00Z";
    let chart = app.get(&market.at(query)).await.ok(200);
    assert_eq!(chart["volumes"].as_array().map(Vec::len), Some(2), "{chart:#}");
    let sooner = json!({ "endDate": "2026-01-01T18:00:03Z" });
    edited(&app, &market, &creator, sooner).await;
    app.clock.advance_seconds(2);
    let order = json!({ "optionId": market.options[0], "amount": "10" });
    command(&app, &market.at("bets"), &ann, &order).await.refused(409, "MARKET_CLOSED");
    audit(&app).await;
}

#[actix_web::test]
async fn edit_of_other_version_is_rejected() {
    let app = TestApp::start().await;
    let (creator, ann) = (app.user("carl").await, app.user("ann").await);
    let market = open(&app, &creator).await;
    let edit = |name: &str, version: &str| {
        let call = app.patch(&market.path).by(&creator).header("If-Match", version);
        call.json(&json!({ "name": name }))
    };
    edit("No", "\"1\"").await.refused(400, "VALIDATION_ERROR");
    edit("Version two", "\"1\"").await.ok(200);
    edit("Version three", "\"1\"").await.refused(412, "PRECONDITION_FAILED");
    market.bet(&app, &ann, 0, "10").await;
    edit("Version three", "\"2\"").await.refused(412, "PRECONDITION_FAILED");
    assert_eq!(market.read(&app).await["name"], "Version two");
    assert_eq!(edit("Version four", "\"3\"").await.header("ETag"), "\"4\"");
    let known = app.get(&market.path).header("If-None-Match", "\"4\"").await;
    assert_eq!(known.status.as_u16(), 304);
}

#[actix_web::test]
async fn rejected_edit_changes_nothing() {
    let app = TestApp::start().await;
    let (creator, ann) = (app.user("carl").await, app.user("ann").await);
    let market = open(&app, &creator).await;
    let before = snapshot(&app, &market, &[&creator, &ann]).await;
    let edit = |by: &TestUser, body: Value| app.patch(&market.path).by(by).json(&body);
    edit(&ann, json!({ "name": "Mine now" })).await.refused(403, "FORBIDDEN");
    let faulty = json!({ "name": "ab", "description": "short", "endDate": "2026-01-01T12:00:00Z" });
    let errors = edit(&creator, faulty).await.errors();
    assert_eq!(errors, ["description: length", "endDate: range", "name: length"]);
    assert_eq!(edit(&creator, json!({ "endDate": "soon" })).await.errors(), ["endDate: format"]);
    for field in ["category", "options", "subsidy", "status"] {
        let errors = edit(&creator, json!({ field: opening()[field] })).await.errors();
        assert_eq!(errors, [format!("{field}: unknown_field")]);
    }
    let absent = app.patch("/markets/00000000-0000-7000-8000-000000000000").by(&creator);
    absent.json(&json!({})).await.refused(404, "NOT_FOUND");
    assert_eq!(snapshot(&app, &market, &[&creator, &ann]).await, before);
}

#[actix_web::test]
async fn market_without_trading_rejects_edits() {
    let app = TestApp::start().await;
    let creator = app.user("carl").await;
    let edit = |market: &Opened| {
        let body = json!({ "name": "Will it snow?", "endDate": "2026-02-01T00:00:00Z" });
        app.patch(&market.path).by(&creator).json(&body)
    };
    for end in ["close", "cancellation"] {
        let market = open(&app, &creator).await;
        command(&app, &market.at(end), &creator, &json!({})).await.ok(200);
        let before = market.read(&app).await;
        edit(&market).await.refused(409, "MARKET_CLOSED");
        assert_eq!(market.read(&app).await, before);
    }
    let market = open(&app, &creator).await;
    app.clock.advance_seconds(SECONDS_TO_END);
    let before = market.read(&app).await;
    edit(&market).header("If-Match", "\"1-ended\"").await.refused(409, "MARKET_CLOSED");
    assert_eq!(market.read(&app).await, before);
}

#[actix_web::test]
async fn list_reflects_new_end_date_immediately() {
    let app = TestApp::start().await;
    let creator = app.user("carl").await;
    let market = open(&app, &creator).await;
    let total = async |status: &str| {
        let reply = app.get(&format!("/markets?status={status}")).await;
        reply.json()["meta"]["pagination"]["total"].clone()
    };
    app.clock.advance_micros(4_000_000);
    assert_eq!((total("open").await, total("closed").await), (json!(1), json!(0)));
    edited(&app, &market, &creator, json!({ "endDate": "2026-01-01T12:00:04.000001Z" })).await;
    app.clock.advance_micros(1);
    assert_eq!((total("open").await, total("closed").await), (json!(0), json!(1)));
}
