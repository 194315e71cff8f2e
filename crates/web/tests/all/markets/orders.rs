//! Tests of rejected bets, sales and quotes, which change nothing.

use serde_json::{Value, json};

use super::{Opened, Reply, Snapshot, audit, command, fresh_key, open, snapshot};
use crate::support::{TestApp, TestUser};

const NOWHERE: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

/// A market in which ann holds 87.06 shares of the first option, with the current state.
struct Fixture {
    app: TestApp,
    creator: TestUser,
    ann: TestUser,
    market: Opened,
    before: Snapshot,
}

impl Fixture {
    async fn set() -> Self {
        let app = TestApp::start().await;
        let (creator, ann) = (app.user("carl").await, app.user("ann").await);
        let market = open(&app, &creator).await;
        market.bet(&app, &ann, 0, "50").await;
        let before = snapshot(&app, &market, &[&creator, &ann]).await;
        Self { app, creator, ann, market, before }
    }

    async fn send(&self, part: &str, order: Value) -> Reply {
        command(&self.app, &self.market.at(part), &self.ann, &order).await
    }

    fn order(&self, field: &str, value: impl Into<Value>) -> Value {
        let mut order = json!({ "optionId": self.market.options[0] });
        order[field] = value.into();
        order
    }

    async fn assert_unchanged(&self) {
        let now = snapshot(&self.app, &self.market, &[&self.creator, &self.ann]).await;
        assert_eq!(now, self.before);
    }
}

#[actix_web::test]
async fn invalid_bets_are_rejected() {
    let fixture = Fixture::set().await;
    let poor = fixture.send("bets", fixture.order("amount", "950.01")).await;
    let refused = poor.refused(409, "INSUFFICIENT_FUNDS");
    assert_eq!(refused["details"], json!({ "available": "950.00", "needed": "950.01" }));
    let huge = fixture.send("bets", fixture.order("amount", "20000000000000")).await;
    huge.refused(409, "TRADE_TOO_LARGE");
    let elsewhere = fixture.send("bets", json!({ "optionId": NOWHERE, "amount": 1 })).await;
    assert_eq!(
        elsewhere.refused(404, "NOT_FOUND")["error"],
        format!("Option not found: {NOWHERE}")
    );
    let path = format!("/markets/{NOWHERE}/bets");
    let nowhere = command(&fixture.app, &path, &fixture.ann, &fixture.order("amount", 1)).await;
    assert_eq!(nowhere.refused(404, "NOT_FOUND")["error"], format!("Market not found: {NOWHERE}"));
    fixture.assert_unchanged().await;
}

#[actix_web::test]
async fn invalid_sales_are_rejected() {
    let fixture = Fixture::set().await;
    let more = fixture.send("sales", fixture.order("shares", "87.07")).await;
    let refused = more.refused(409, "INSUFFICIENT_SHARES");
    assert_eq!(refused["details"], json!({ "available": "87.06", "needed": "87.07" }));
    fixture.send("sales", fixture.order("shares", "0.01")).await.refused(409, "TRADE_TOO_SMALL");
    for shares in ["all", "1"] {
        let none = fixture
            .send("sales", json!({ "optionId": fixture.market.options[1], "shares": shares }))
            .await;
        assert_eq!(none.refused(409, "INSUFFICIENT_SHARES")["details"]["available"], "0.00");
    }
    let order = fixture.order("shares", "all");
    let stranger =
        command(&fixture.app, &fixture.market.at("sales"), &fixture.creator, &order).await;
    stranger.refused(409, "INSUFFICIENT_SHARES");
    let elsewhere = fixture.send("sales", json!({ "optionId": NOWHERE, "shares": "all" })).await;
    assert_eq!(
        elsewhere.refused(404, "NOT_FOUND")["error"],
        format!("Option not found: {NOWHERE}")
    );
    fixture.assert_unchanged().await;
}

#[actix_web::test]
async fn quotes_are_rejected_like_their_orders() {
    let fixture = Fixture::set().await;
    let quote = async |side: &str, field: &str, value: &str| {
        let mut order = fixture.order(field, value);
        order["side"] = side.into();
        fixture.app.post(&fixture.market.at("quotes")).json(&order).await
    };
    quote("buy", "amount", "20000000000000").await.refused(409, "TRADE_TOO_LARGE");
    quote("buy", "shares", "20000000000000").await.refused(409, "TRADE_TOO_LARGE");
    quote("sell", "shares", "0.01").await.refused(409, "TRADE_TOO_SMALL");
    quote("sell", "shares", "87.07").await.refused(409, "INSUFFICIENT_SHARES");
    let order = json!({ "optionId": NOWHERE, "side": "buy", "amount": 1 });
    fixture.app.post(&fixture.market.at("quotes")).json(&order).await.refused(404, "NOT_FOUND");
    fixture
        .app
        .post(&format!("/markets/{NOWHERE}/quotes"))
        .json(&order)
        .await
        .refused(404, "NOT_FOUND");
    quote("buy", "amount", "1").await.ok(200);
    fixture.assert_unchanged().await;
}

#[actix_web::test]
async fn invalid_order_gets_all_errors() {
    let fixture = Fixture::set().await;
    let check = async |part: &str, order: Value, expected: &[&str]| {
        let reply = fixture.send(part, order.clone()).await;
        assert_eq!(reply.errors(), expected, "{part} {order}");
    };
    check("bets", json!({}), &["amount: required", "optionId: required"]).await;
    let bad = json!({
        "clientId": "x", "optionId": "y", "amount": 1.5, "minShares": "0", "maxPrice": 1.01,
        "shares": 1,
    });
    let errors = [
        "amount: type",
        "clientId: format",
        "maxPrice: range",
        "minShares: range",
        "optionId: format",
        "shares: unknown_field",
    ];
    check("bets", bad, &errors).await;
    for (amount, error) in [
        (json!("0"), "range"),
        (json!(0), "range"),
        (json!("-5"), "format"),
        (json!(-5), "format"),
        (json!("1e3"), "format"),
        (json!("5.001"), "format"),
        (json!(""), "format"),
        (json!("NaN"), "format"),
        (json!("92233720368547758.08"), "range"),
        (json!(true), "type"),
        (json!([5]), "type"),
    ] {
        check("bets", fixture.order("amount", amount), &[&format!("amount: {error}")]).await;
    }
    check("bets", fixture.order("maxPrice", 0), &["amount: required", "maxPrice: range"]).await;
    check(
        "sales",
        json!({ "minProceeds": "x" }),
        &["minProceeds: format", "optionId: required", "shares: required"],
    )
    .await;
    check("sales", fixture.order("shares", "ALL"), &["shares: format"]).await;
    check("sales", fixture.order("shares", "0"), &["shares: range"]).await;
    let key = fixture.app.post(&fixture.market.at("bets")).by(&fixture.ann).json(&json!({})).await;
    assert_eq!(
        key.errors(),
        ["Idempotency-Key: required", "amount: required", "optionId: required"]
    );
    fixture.assert_unchanged().await;
}

#[actix_web::test]
async fn invalid_quote_gets_all_errors() {
    let fixture = Fixture::set().await;
    let check = async |order: Value, expected: &[&str]| {
        let reply = fixture.app.post(&fixture.market.at("quotes")).json(&order).await;
        assert_eq!(reply.errors(), expected, "{order}");
    };
    check(json!({}), &["amount: required", "optionId: required", "side: required"]).await;
    let order = |side: &str, more: Value| {
        let mut order = json!({ "optionId": fixture.market.options[0], "side": side });
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        order
    };
    check(order("hold", json!({ "amount": 1 })), &["side: invalid"]).await;
    check(order("buy", json!({})), &["amount: required"]).await;
    check(order("buy", json!({ "amount": 1, "shares": 1 })), &["amount: invalid"]).await;
    check(order("sell", json!({})), &["shares: required"]).await;
    check(order("sell", json!({ "amount": 1 })), &["amount: invalid", "shares: required"]).await;
    check(order("sell", json!({ "shares": "all" })), &["shares: format"]).await;
}

#[actix_web::test]
async fn trading_requires_authentication() {
    let fixture = Fixture::set().await;
    for part in ["bets", "sales", "close", "resolution", "cancellation"] {
        let reply = fixture
            .app
            .post(&fixture.market.at(part))
            .key(&fresh_key())
            .json(&json!({ "odd": 1 }))
            .await;
        reply.refused(401, "UNAUTHORIZED");
    }
    fixture.assert_unchanged().await;
}

#[actix_web::test]
async fn public_bet_has_no_private_fields() {
    let fixture = Fixture::set().await;
    let bet = fixture.market.bet(&fixture.app, &fixture.ann, 1, "1").await;
    let mut public =
        fixture.app.get(&format!("/bets/{}", bet["id"].as_str().unwrap())).await.ok(200);
    for private in ["accountId", "transferId", "balance"] {
        assert!(bet[private].is_string() && public[private].is_null(), "{private} of {public}");
        public[private] = bet[private].clone();
    }
    assert_eq!(public, bet);
    assert_eq!(bet["accountId"], fixture.ann.account_id.to_string());
    let missing = fixture.app.get(&format!("/bets/{NOWHERE}")).await.refused(404, "NOT_FOUND");
    assert_eq!(missing["error"], format!("Bet not found: {NOWHERE}"));
    assert_eq!(fixture.app.get("/bets/7").await.errors(), ["id: format"]);
    audit(&fixture.app).await;
}
