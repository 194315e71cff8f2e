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
    expected["revision"] = json!(2);
    (expected["version"], expected["updatedAt"]) = (json!(2), json!("2026-01-01T12:00:05Z"));
    assert_eq!((&seen, tag.as_str()), (&expected, "\"2\""));
    assert_eq!(market.read(&app).await, expected);
    edited(&app, &market, &moderator, json!({ "description": "As seen from the roof." })).await;
    let (seen, tag) =
        edited(&app, &market, &admin, json!({ "endDate": "2026-01-01T12:00:06+00:00" })).await;
    expected["description"] = json!("As seen from the roof.");
    (expected["endDate"], expected["version"]) = (json!("2026-01-01T12:00:06Z"), json!(4));
    expected["revision"] = json!(4);
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
    // Its name is frozen by the bet, but not its end date.
    let later = app.patch(&market.path).by(&creator).header("If-Match", "\"3\"");
    let later = later.json(&json!({ "endDate": "2026-01-02T00:00:00Z" })).await;
    assert_eq!(later.header("ETag"), "\"4\"");
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

/// The attack that this rule is for: a creator waits for bets on one outcome, and then asks the
/// opposite question.
#[actix_web::test]
async fn creator_cannot_change_question_after_bets() {
    let app = TestApp::start().await;
    let (creator, ann, moderator) =
        (app.user("carl").await, app.user("ann").await, app.moderator().await);
    let market = open(&app, &creator).await;
    // The creator's own bets freeze nothing.
    market.bet(&app, &creator, 0, "1").await;
    edited(&app, &market, &creator, json!({ "name": "Will it snow?" })).await;
    market.bet(&app, &ann, 0, "10").await;
    let before = snapshot(&app, &market, &[&creator, &ann]).await;
    let edit = async |by: &TestUser, body: Value| app.patch(&market.path).by(by).json(&body).await;
    let opposite = json!({ "name": "Will it stay dry?" });
    for body in [&opposite, &json!({ "description": "The opposite of it." })] {
        edit(&creator, body.clone()).await.refused(409, "QUESTION_FROZEN");
    }
    let too_late = edit(&creator, json!({ "endDate": "2026-04-01T18:00:01Z" })).await;
    let details = too_late.refused(409, "CONFLICT");
    assert_eq!(details["details"]["latestEndDate"], "2026-04-01T18:00:00Z", "{details:#}");
    assert_eq!(snapshot(&app, &market, &[&creator, &ann]).await, before);
    edit(&creator, json!({ "endDate": "2026-04-01T18:00:00Z" })).await.ok(200);
    // A moderator with shares of it has a part in it; one without may correct it.
    edit(&moderator, json!({ "name": "Will it snow today?" })).await.ok(200);
    market.bet(&app, &moderator, 1, "1").await;
    edit(&moderator, opposite).await.refused(409, "QUESTION_FROZEN");
    audit(&app).await;
}

#[actix_web::test]
async fn history_shows_edits_and_clarifications() {
    let app = TestApp::start().await;
    let (creator, ann) = (app.user("carl").await, app.user("ann").await);
    let market = open(&app, &creator).await;
    edited(&app, &market, &creator, json!({ "name": "Will it snow?" })).await;
    market.bet(&app, &ann, 0, "10").await;
    let clarify = async |by: &TestUser, text: &str| {
        app.post(&market.at("clarifications")).by(by).json(&json!({ "text": text })).await
    };
    clarify(&ann, "It did not.").await.refused(403, "FORBIDDEN");
    clarify(&creator, "").await.refused(400, "VALIDATION_ERROR");
    let made = clarify(&creator, "Sleet counts as snow.").await;
    let location = made.header("Location").to_owned();
    let made = made.ok(201);
    assert!(location.ends_with(&market.at("history")), "{location}");
    let history = app.get(&market.at("history")).await.ok(200);
    let seen: Vec<_> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["number"].as_i64(), row["kind"].as_str(), row["name"].as_str()))
        .collect();
    assert_eq!(history[0], made);
    assert_eq!(
        seen,
        [
            (Some(3), Some("clarified"), Some("Will it snow?")),
            (Some(2), Some("edited"), Some("Will it snow?")),
            (Some(1), Some("opened"), market.body["name"].as_str()),
        ]
    );
    assert_eq!(made["clarification"], "Sleet counts as snow.");
    assert_eq!(history[1]["clarification"], Value::Null);
    assert_eq!(market.read(&app).await["revision"], 3);
    let page = app.get(&market.at("history?limit=1&page=2")).await;
    assert_eq!(page.ok(200)[0]["number"], 2);
    command(&app, &market.at("cancellation"), &creator, &json!({})).await.ok(200);
    clarify(&creator, "Too late.").await.refused(409, "CONFLICT");
    audit(&app).await;
}
