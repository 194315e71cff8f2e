//! Tests of the limits of orders: met to the last unit, or the whole order is rejected.

use serde_json::{Value, json};

use super::{command, open, snapshot};
use crate::support::TestApp;

#[actix_web::test]
async fn bet_meets_its_limits_exactly() {
    let app = TestApp::start().await;
    let (creator, ann) = (app.user("carl").await, app.user("ann").await);
    let market = open(&app, &creator).await;
    let order = |limit: &str, value: Value| {
        let mut order = json!({ "optionId": market.options[0], "amount": "50" });
        order[limit] = value;
        order
    };
    let refused = async |limit: &str, value: Value, details: Value| {
        let before = snapshot(&app, &market, &[&creator, &ann]).await;
        let reply = command(&app, &market.at("bets"), &ann, &order(limit, value)).await;
        assert_eq!(reply.refused(409, "SLIPPAGE")["details"], details, "{limit}");
        assert_eq!(snapshot(&app, &market, &[&creator, &ann]).await, before);
    };
    refused("minShares", json!("87.07"), json!({ "limit": "minShares", "offered": "87.06" })).await;
    let quote = json!({ "optionId": market.options[0], "side": "buy", "amount": "50" });
    let quoted = app.post(&market.at("quotes")).json(&quote).await.ok(200);
    let price = quoted["averagePrice"].as_f64().unwrap();
    refused("maxPrice", json!(price - 0.000_001), json!({ "limit": "maxPrice" })).await;

    let mut both = order("maxPrice", json!(price));
    both["minShares"] = json!("87.06");
    let bet = command(&app, &market.at("bets"), &ann, &both).await.ok(201);
    assert_eq!((&bet["shares"], &bet["averagePrice"]), (&json!("87.06"), &json!(price)));
    // The price has moved, so the former limit is not met any more.
    let reply = command(&app, &market.at("bets"), &ann, &both).await;
    assert_eq!(reply.refused(409, "SLIPPAGE")["details"]["limit"], "minShares");
}

#[actix_web::test]
async fn sale_meets_its_limit_exactly() {
    let app = TestApp::start().await;
    let (creator, ann) = (app.user("carl").await, app.user("ann").await);
    let market = open(&app, &creator).await;
    market.bet(&app, &ann, 0, "50").await;
    let quote = json!({ "optionId": market.options[0], "side": "sell", "shares": "40" });
    let quoted = app.post(&market.at("quotes")).json(&quote).await.ok(200);
    let brings = quoted["amount"].as_str().unwrap();
    let above = format!("{:.2}", brings.parse::<f64>().unwrap() + 0.01);
    let sell = async |least: &str| {
        let order = json!({ "optionId": market.options[0], "shares": "40", "minProceeds": least });
        command(&app, &market.at("sales"), &ann, &order).await
    };
    let before = snapshot(&app, &market, &[&creator, &ann]).await;
    let refused = sell(&above).await.refused(409, "SLIPPAGE");
    assert_eq!(refused["details"], json!({ "limit": "minProceeds", "offered": brings }));
    assert_eq!(snapshot(&app, &market, &[&creator, &ann]).await, before);
    assert_eq!(sell(brings).await.ok(201)["amount"], brings);
}
