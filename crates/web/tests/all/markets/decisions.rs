//! Tests of resolutions and cancellations: permissions, terms, and only one per market.

use serde_json::{Value, json};

use super::{Opened, Reply, audit, balance, command, fresh_key, open, snapshot};
use crate::support::{TestApp, TestUser};

async fn resolve(app: &TestApp, market: &Opened, user: &TestUser, body: Value) -> Reply {
    command(app, &market.at("resolution"), user, &body).await
}

#[actix_web::test]
async fn split_pays_each_option_its_part() {
    let app = TestApp::start().await;
    let (creator, ann, bob) =
        (app.user("carl").await, app.user("ann").await, app.user("bob").await);
    let market = open(&app, &creator).await;
    let yes = market.bet(&app, &ann, 0, "50").await;
    let no = market.bet(&app, &bob, 1, "50").await;
    app.get(&market.at("resolution")).await.refused(404, "NOT_FOUND");
    let part =
        |index: usize, bps: u16| json!({ "optionId": market.options[index], "basisPoints": bps });
    let split = json!([part(1, 7_500), part(0, 2_500)]);
    let decided = resolve(&app, &market, &creator, json!({ "split": split })).await.ok(200);
    let in_order = json!({ "kind": "split", "split": [part(0, 2_500), part(1, 7_500)] });
    assert_eq!(decided["terms"], in_order);
    let quarters = |bet: &Value| minor(&bet["shares"]);
    // The fractions of the set make up whole units, by largest remainder.
    let (exact_ann, exact_bob) = (quarters(&yes), quarters(&no) * 3);
    let paid = balance(&app, &ann).await - 95_000 + balance(&app, &bob).await - 95_000;
    assert_eq!(paid, (exact_ann + exact_bob) / 4);
    assert!((balance(&app, &ann).await - 95_000 - exact_ann / 4).abs() <= 1);
    let settlement = app.get(&market.at("resolution")).await.ok(200);
    assert_eq!((&settlement["terms"], &settlement["holdersPaid"]), (&in_order, &json!(2)));
    assert_eq!(minor(&settlement["paid"]), paid);
    audit(&app).await;
}

/// Returns the minor units of a decimal string.
fn minor(text: &Value) -> i64 {
    text.as_str().unwrap().replace('.', "").parse().unwrap()
}

#[actix_web::test]
async fn cancellation_refunds_stakes() {
    let app = TestApp::start().await;
    let (creator, ann, bob) =
        (app.user("carl").await, app.user("ann").await, app.user("bob").await);
    let market = open(&app, &creator).await;
    market.bet(&app, &ann, 0, "50").await;
    market.bet(&app, &bob, 1, "20").await;
    market.sell(&app, &bob, 1, "10").await;
    let cancelled =
        app.post(&market.at("cancellation")).by(&creator).key(&fresh_key()).await.ok(200);
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(cancelled["terms"]["kind"], "refunds");
    assert_eq!(
        minor(&cancelled["terms"]["available"]),
        minor(&cancelled["terms"]["stakes"]) + 10_000
    );
    for user in [&creator, &ann, &bob] {
        assert_eq!(balance(&app, user).await, 100_000, "as if nothing had happened");
    }
    let settlement = app.get(&market.at("resolution")).await.ok(200);
    assert_eq!(
        (&settlement["status"], &settlement["completed"]),
        (&json!("cancelled"), &json!(true))
    );
    assert_eq!(market.read(&app).await["status"], "cancelled");
    audit(&app).await;
}

#[actix_web::test]
async fn decision_requires_creator_moderator_or_admin() {
    let app = TestApp::start().await;
    let (creator, ann) = (app.user("carl").await, app.user("ann").await);
    let (moderator, admin) = (app.moderator().await, app.admin().await);
    let market = open(&app, &creator).await;
    let before = snapshot(&app, &market, &[&creator, &ann]).await;
    let winner = json!({ "optionId": market.options[0] });
    for (part, body) in
        [("close", json!({})), ("resolution", winner.clone()), ("cancellation", json!({}))]
    {
        let reply = command(&app, &market.at(part), &ann, &body).await;
        reply.refused(403, "FORBIDDEN");
    }
    assert_eq!(snapshot(&app, &market, &[&creator, &ann]).await, before);
    command(&app, &market.at("close"), &moderator, &json!({})).await.ok(200);
    resolve(&app, &market, &admin, winner).await.ok(200);
    let settlement = app.get(&market.at("resolution")).await.ok(200);
    assert_eq!(settlement["decidedBy"], admin.id.to_string());
}

#[actix_web::test]
async fn market_is_decided_once() {
    let app = TestApp::start().await;
    let (creator, ann) = (app.user("carl").await, app.user("ann").await);
    for part in ["resolution", "cancellation"] {
        let market = open(&app, &creator).await;
        market.bet(&app, &ann, 0, "5").await;
        let winner = json!({ "optionId": market.options[0] });
        let body = if part == "resolution" { winner.clone() } else { json!({}) };
        let decided = command(&app, &market.at(part), &creator, &body).await.ok(200);
        let before = snapshot(&app, &market, &[&creator, &ann]).await;
        let resolved = resolve(&app, &market, &creator, winner).await.refused(409, "CONFLICT");
        let status = decided["status"].as_str().unwrap();
        assert_eq!(resolved["error"], format!("Market is already {status}"));
        command(&app, &market.at("cancellation"), &creator, &json!({}))
            .await
            .refused(409, "CONFLICT");
        command(&app, &market.at("close"), &creator, &json!({}))
            .await
            .refused(409, "MARKET_CLOSED");
        let order = json!({ "optionId": market.options[0], "amount": "10" });
        command(&app, &market.at("bets"), &ann, &order).await.refused(409, "MARKET_CLOSED");
        let order = json!({ "optionId": market.options[0], "shares": "all" });
        for trader in [&ann, &creator] {
            command(&app, &market.at("sales"), trader, &order).await.refused(409, "MARKET_CLOSED");
        }
        assert_eq!(snapshot(&app, &market, &[&creator, &ann]).await, before);
    }
}

#[actix_web::test]
async fn invalid_resolution_gets_all_errors() {
    let app = TestApp::start().await;
    let creator = app.user("carl").await;
    let market = open(&app, &creator).await;
    let before = snapshot(&app, &market, &[&creator]).await;
    let check = async |body: Value, expected: &[&str]| {
        let reply = resolve(&app, &market, &creator, body.clone()).await;
        assert_eq!(reply.errors(), expected, "{body}");
    };
    let [a, b] = [&market.options[0], &market.options[1]];
    let part = |option: &str, bps: i64| json!({ "optionId": option, "basisPoints": bps });
    check(json!({}), &["optionId: required"]).await;
    check(json!({ "optionId": "x" }), &["optionId: format"]).await;
    check(json!({ "optionId": a, "split": [part(a, 10_000)] }), &["optionId: invalid"]).await;
    check(json!({ "split": [] }), &["split: length"]).await;
    check(json!({ "split": [part(a, 5_000), part(b, 4_999)] }), &["split: invalid"]).await;
    check(json!({ "split": [part(a, 5_000), part(a, 5_000)] }), &["split[1].optionId: repeated"])
        .await;
    let bad = json!([part("x", -1), { "odd": 1 }, part(b, 10_001), { "optionId": a, "basisPoints": 0.5 }]);
    let expected = [
        "split[0].basisPoints: range",
        "split[0].optionId: format",
        "split[1].basisPoints: required",
        "split[1].odd: unknown_field",
        "split[1].optionId: required",
        "split[2].basisPoints: range",
        "split[3].basisPoints: type",
    ];
    check(json!({ "split": bad }), &expected).await;
    let nowhere = "0190163d-8694-739b-aea5-966c26f8ad91";
    for body in [json!({ "optionId": nowhere }), json!({ "split": [part(nowhere, 10_000)] })] {
        let reply = resolve(&app, &market, &creator, body).await;
        assert_eq!(
            reply.refused(404, "NOT_FOUND")["error"],
            format!("Option not found: {nowhere}")
        );
    }
    assert_eq!(snapshot(&app, &market, &[&creator]).await, before);
}

#[actix_web::test]
async fn closing_and_cancelling_require_only_a_key() {
    let app = TestApp::start().await;
    let creator = app.user("carl").await;
    let market = open(&app, &creator).await;
    for part in ["close", "cancellation"] {
        let path = market.at(part);
        let reply = app.post(&path).by(&creator).json(&json!({ "reason": "none" })).await;
        assert_eq!(reply.errors(), ["Idempotency-Key: required", "reason: unknown_field"]);
        app.post(&path).by(&creator).key(&fresh_key()).await.ok(200);
    }
    assert_eq!(market.read(&app).await["version"], 3);
}
