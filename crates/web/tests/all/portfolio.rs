//! Tests of a trader's bets and positions in all markets.

use serde_json::{Value, json};

use crate::markets::{Opened, command, open};
use crate::support::{TestApp, TestUser};

async fn positions(app: &TestApp, user: &TestUser) -> Vec<Value> {
    app.get("/me/positions").by(user).await.ok(200).as_array().unwrap().clone()
}

fn money(value: &Value) -> i64 {
    value.as_str().unwrap().replace('.', "").parse().unwrap()
}

async fn decide(app: &TestApp, market: &Opened, by: &TestUser, part: &str, body: Value) {
    command(app, &market.at(part), by, &body).await.ok(200);
}

#[actix_web::test]
async fn own_bets_of_all_markets_come_newest_first() {
    let app = TestApp::start().await;
    let (carl, ann, bob) = (app.user("carl").await, app.user("ann").await, app.user("bob").await);
    let (one, two) = (open(&app, &carl).await, open(&app, &carl).await);
    let mut ids = Vec::new();
    for market in [&one, &two, &one] {
        ids.insert(0, market.bet(&app, &ann, 0, "10").await["id"].clone());
        market.bet(&app, &bob, 0, "10").await;
        app.clock.advance_seconds(1);
    }
    let sale = one.sell(&app, &ann, 0, "1").await;
    ids.insert(0, sale["id"].clone());
    let reply = app.get("/me/bets").by(&ann).await;
    assert_eq!(reply.json()["meta"]["pagination"], json!({ "page": 1, "limit": 10, "total": 4 }));
    let rows = reply.ok(200);
    let found: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
    assert_eq!(found, ids);
    let mut expected = sale.clone();
    expected.as_object_mut().unwrap().remove("balance");
    assert_eq!(rows[0], expected, "what the trader was told, but for the balance");
    let second = app.get("/me/bets?page=2&limit=3").by(&ann).await.ok(200);
    assert_eq!(second.as_array().unwrap().len(), 1);
    assert_eq!(app.get("/me/bets").by(&carl).await.ok(200), json!([]));
    assert_eq!(app.get("/me/bets?sort=x").by(&carl).await.errors(), ["sort: unknown_field"]);
}

#[actix_web::test]
async fn own_positions_are_valued_at_the_current_price() {
    let app = TestApp::start().await;
    let (carl, ann) = (app.user("carl").await, app.user("ann").await);
    let (older, newer) = (open(&app, &carl).await, open(&app, &carl).await);
    let bet = older.bet(&app, &ann, 0, "50").await;
    newer.bet(&app, &ann, 1, "20").await;
    newer.bet(&app, &ann, 0, "30").await;
    let sale = newer.sell(&app, &ann, 0, "10").await;
    let rows = positions(&app, &ann).await;
    let places: Vec<_> = rows.iter().map(|row| (&row["marketId"], &row["optionName"])).collect();
    let (old, new) = (json!(older.id), json!(newer.id));
    assert_eq!(places, [(&new, &json!("Yes")), (&new, &json!("No")), (&old, &json!("Yes"))]);
    // 87.06 shares at 0.646446 are worth 56.27.
    let expected = json!({
        "marketId": older.id, "marketName": "Will it rain on Friday?", "marketStatus": "open",
        "optionId": older.options[0], "optionName": "Yes", "shares": bet["shares"],
        "price": bet["priceAfter"], "value": "56.27", "payout": null,
        "cost": "50.00", "proceeds": "0.00", "profit": "6.27",
    });
    assert_eq!(rows[2], expected);
    assert_eq!((&rows[0]["cost"], &rows[0]["proceeds"]), (&json!("30.00"), &sale["amount"]));
    for row in &rows {
        let profit = money(&row["value"]) + money(&row["proceeds"]) - money(&row["cost"]);
        assert_eq!(money(&row["profit"]), profit, "{row}");
        let market = app
            .get(&format!("/markets/{}/positions", row["marketId"].as_str().unwrap()))
            .await
            .ok(200);
        let same = market
            .as_array()
            .unwrap()
            .iter()
            .find(|held| held["optionId"] == row["optionId"])
            .unwrap();
        assert_eq!((&same["value"], &same["shares"]), (&row["value"], &row["shares"]));
    }
    assert_eq!(positions(&app, &carl).await, [json!(null); 0]);
}

#[actix_web::test]
async fn own_positions_have_payouts_of_decided_markets() {
    let app = TestApp::start().await;
    let (carl, ann) = (app.user("carl").await, app.user("ann").await);
    let mut markets = Vec::new();
    for _ in 0..4 {
        let market = open(&app, &carl).await;
        market.bet(&app, &ann, 0, "50").await;
        markets.push(market);
    }
    let [won, split, cancelled, ended] = markets.as_slice() else { panic!("four markets") };
    decide(&app, won, &carl, "resolution", json!({ "optionId": won.options[0] })).await;
    let part =
        |index: usize, bps: u16| json!({ "optionId": split.options[index], "basisPoints": bps });
    decide(&app, split, &carl, "resolution", json!({ "split": [part(0, 2_501), part(1, 7_499)] }))
        .await;
    decide(&app, cancelled, &carl, "cancellation", json!({})).await;
    app.clock.advance_seconds(super::markets::SECONDS_TO_END);
    let ann = app.signed_in_again(&ann).await;
    let rows = positions(&app, &ann).await;
    let of =
        |market: &Opened| rows.iter().find(|row| row["marketId"] == market.id.as_str()).unwrap();
    let seen = |market| {
        let row = of(market);
        json!([row["marketStatus"], row["price"], row["value"], row["payout"], row["profit"]])
    };
    assert_eq!(seen(won), json!(["resolved", null, null, "87.06", "37.06"]));
    assert_eq!(seen(split), json!(["resolved", null, null, "21.77", "-28.23"]));
    assert_eq!(seen(cancelled), json!(["cancelled", null, null, null, null]));
    assert_eq!(seen(ended), json!(["closed", 0.646_446, "56.27", null, "6.27"]));
    let other = json!({ "optionId": ended.options[1] });
    decide(&app, ended, &carl, "resolution", other).await;
    let rows = positions(&app, &ann).await;
    let lost = rows.iter().find(|row| row["marketId"] == ended.id.as_str()).unwrap();
    assert_eq!((&lost["payout"], &lost["profit"]), (&json!("0.00"), &json!("-50.00")));
}
