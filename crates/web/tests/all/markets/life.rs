//! Tests of the complete life of a market.

use serde_json::{Value, json};

use super::{
    assert_sum_to_one, audit, balance, command, fresh_key, open, opening, probabilities, snapshot,
};
use crate::support::TestApp;

#[actix_web::test]
async fn market_runs_from_opening_to_payout() {
    let app = TestApp::start().await;
    let (creator, ann, bob) =
        (app.user("carl").await, app.user("ann").await, app.user("bob").await);
    let market = open(&app, &creator).await;
    assert_eq!(balance(&app, &creator).await, 90_000);

    // b = 100 / ln 2, so 50.00 move the odds by the square root of 2.
    let bet = market.bet(&app, &ann, 0, "50").await;
    assert_eq!(
        (&bet["shares"], &bet["amount"], &bet["fee"]),
        (&json!("87.06"), &json!("50.00"), &json!("0.00"))
    );
    assert_eq!((&bet["pricesBefore"], &bet["priceAfter"]), (&json!([0.5, 0.5]), &json!(0.646_446)));
    assert_eq!(
        (&bet["balance"], &bet["sequence"], &bet["marketVersion"]),
        (&json!("950.00"), &json!(1), &json!(2))
    );
    let other = market.bet(&app, &bob, 1, "30.00").await;
    assert_eq!(other["pricesBefore"], bet["pricesAfter"]);
    let seen = market.read(&app).await;
    assert_eq!(
        (&seen["volume"], &seen["betCount"], &seen["version"]),
        (&json!("80.00"), &json!(2), &json!(3))
    );
    assert_eq!(seen["options"][0]["shares"], "87.06");
    assert_sum_to_one(&probabilities(&seen));

    let sale = market.sell(&app, &ann, 0, "37.06").await;
    assert_eq!((&sale["side"], &sale["shares"]), (&json!("sell"), &json!("37.06")));
    assert!(sale["priceAfter"].as_f64() < sale["priceBefore"].as_f64(), "{sale}");
    audit(&app).await;

    let (ann_before, bob_before) = (balance(&app, &ann).await, balance(&app, &bob).await);
    let winner = json!({ "optionId": market.options[0] });
    let decided = command(&app, &market.at("resolution"), &creator, &winner).await.ok(200);
    assert_eq!((&decided["status"], &decided["version"]), (&json!("resolved"), &json!(5)));
    assert_eq!(decided["terms"], json!({ "kind": "winner", "optionId": market.options[0] }));
    // 50.00 shares pay 50.00; the other side gets nothing, and the creator the rest.
    assert_eq!(balance(&app, &ann).await, ann_before + 5_000);
    assert_eq!(balance(&app, &bob).await, bob_before);
    let total =
        balance(&app, &ann).await + balance(&app, &bob).await + balance(&app, &creator).await;
    assert_eq!(total, 300_000, "money only moves");
    let settlement = app.get(&market.at("resolution")).await.ok(200);
    assert_eq!(
        (&settlement["status"], &settlement["completed"]),
        (&json!("resolved"), &json!(true))
    );
    assert_eq!((&settlement["holdersPaid"], &settlement["paid"]), (&json!(1), &json!("50.00")));
    assert_eq!(settlement["decidedBy"], creator.id.to_string());
    assert_eq!(settlement["completedAt"], "2026-01-01T12:00:00Z");
    assert_eq!(market.read(&app).await["status"], "resolved");
    audit(&app).await;
}

#[actix_web::test]
async fn quote_equals_result_of_next_order() {
    let app = TestApp::start().await;
    let (creator, ann) = (app.user("carl").await, app.user("ann").await);
    let market = open(&app, &creator).await;
    market.bet(&app, &ann, 1, "12.34").await;
    let quote = async |body: Value| app.post(&market.at("quotes")).json(&body).await.ok(200);

    let option = &market.options[0];
    let quoted = quote(json!({ "optionId": option, "side": "buy", "amount": "33.33" })).await;
    let filled = market.bet(&app, &ann, 0, "33.33").await;
    assert_quoted(&quoted, &filled);

    let by_shares = quote(json!({ "optionId": option, "side": "buy", "shares": 10 })).await;
    let filled = market.bet(&app, &ann, 0, by_shares["amount"].as_str().unwrap()).await;
    assert_quoted(&by_shares, &filled);
    let shares: f64 = filled["shares"].as_str().unwrap().parse().unwrap();
    assert!((10.0..10.05).contains(&shares), "at least the shares asked for: {filled}");

    let quoted = quote(json!({ "optionId": option, "side": "sell", "shares": "20.5" })).await;
    let filled = market.sell(&app, &ann, 0, "20.5").await;
    assert_quoted(&quoted, &filled);
    audit(&app).await;
}

fn assert_quoted(quoted: &Value, filled: &Value) {
    for field in
        ["optionId", "side", "amount", "shares", "fee", "averagePrice", "priceBefore", "priceAfter"]
    {
        assert!(!quoted[field].is_null(), "{field} of {quoted}");
        assert_eq!(quoted[field], filled[field], "{field}");
    }
    assert_eq!(
        quoted["marketVersion"].as_i64().unwrap() + 1,
        filled["marketVersion"].as_i64().unwrap()
    );
}

#[actix_web::test]
async fn all_shares_are_sold_at_once() {
    let app = TestApp::start().await;
    let (creator, ann) = (app.user("carl").await, app.user("ann").await);
    let market = open(&app, &creator).await;
    let bet = market.bet(&app, &ann, 0, "50").await;
    let sale = market.sell(&app, &ann, 0, "all").await;
    assert_eq!(sale["shares"], bet["shares"]);
    let balance = balance(&app, &ann).await;
    assert!((99_995..=100_000).contains(&balance), "rounding never pays the trader: {balance}");
    assert_eq!(app.get(&market.at("positions")).await.ok(200), json!([]));
    assert_eq!(probabilities(&market.read(&app).await), [0.5, 0.5]);
    audit(&app).await;
}

#[actix_web::test]
async fn trading_ends_at_end_date_without_closing() {
    let app = TestApp::start().await;
    let (creator, ann) = (app.user("carl").await, app.user("ann").await);
    let market = open(&app, &creator).await;
    app.clock.advance_micros(super::SECONDS_TO_END * 1_000_000 - 1);
    market.bet(&app, &ann, 0, "10").await;
    let tag = app.get(&market.path).await;
    assert_eq!(tag.ok(200)["status"], "open");
    app.clock.advance_micros(1);

    let before = snapshot(&app, &market, &[&creator, &ann]).await;
    assert_eq!(before.market["status"], "closed");
    assert_eq!(before.market["version"], 2, "nothing was written");
    let order = json!({ "optionId": market.options[0], "amount": "10" });
    command(&app, &market.at("bets"), &ann, &order).await.refused(409, "MARKET_CLOSED");
    let order = json!({ "optionId": market.options[0], "shares": "all" });
    command(&app, &market.at("sales"), &ann, &order).await.refused(409, "MARKET_CLOSED");
    let order = json!({ "optionId": market.options[0], "side": "buy", "amount": 1 });
    app.post(&market.at("quotes")).json(&order).await.refused(409, "MARKET_CLOSED");
    assert_eq!(snapshot(&app, &market, &[&creator, &ann]).await, before);

    // The tag of the open market differs from that of the closed one.
    let again = app.get(&market.path).header("If-None-Match", tag.header("ETag")).await;
    assert_eq!(again.ok(200)["status"], "closed");
    let winner = json!({ "optionId": market.options[1] });
    command(&app, &market.at("resolution"), &creator, &winner).await.ok(200);
    audit(&app).await;
}

#[actix_web::test]
async fn closing_ends_trading_immediately() {
    let app = TestApp::start().await;
    let (creator, ann) = (app.user("carl").await, app.user("ann").await);
    let market = open(&app, &creator).await;
    market.bet(&app, &ann, 0, "10").await;
    let seen = market.read(&app).await;
    let closed = app.post(&market.at("close")).by(&creator).key(&fresh_key()).await.ok(200);
    assert_eq!((&closed["id"], &closed["status"]), (&json!(market.id), &json!("closed")));
    assert_eq!((&closed["version"], &closed["terms"]), (&json!(3), &Value::Null));
    assert_eq!(closed["at"], "2026-01-01T12:00:00Z");
    assert_eq!(probabilities(&closed), probabilities(&seen));
    let order = json!({ "optionId": market.options[0], "amount": "10" });
    command(&app, &market.at("bets"), &ann, &order).await.refused(409, "MARKET_CLOSED");
    let again = command(&app, &market.at("close"), &creator, &json!({})).await;
    assert_eq!(again.refused(409, "MARKET_CLOSED")["error"], "Market is not open but closed");
    assert_eq!(market.read(&app).await["status"], "closed");
}

#[actix_web::test]
async fn opening_requires_funds_of_creator() {
    let app = TestApp::start().await;
    let creator = app.user("carl").await;
    let mut body = opening();
    body["subsidy"] = json!("1000.01");
    let refused =
        command(&app, "/markets", &creator, &body).await.refused(409, "INSUFFICIENT_FUNDS");
    assert_eq!(refused["details"], json!({ "available": "1000.00", "needed": "1000.01" }));
    assert_eq!(audit(&app).await.markets, 0);
    body["subsidy"] = json!(1000);
    command(&app, "/markets", &creator, &body).await.ok(201);
    assert_eq!(balance(&app, &creator).await, 0);
    audit(&app).await;
}
