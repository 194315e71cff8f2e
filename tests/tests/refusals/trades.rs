//! Rejections of quotes, bets and sales.

use foretell_tests::{Client, Database, on_each_database, text};
use serde_json::{Value, json};

use super::fixture::{Case, Fixture, UNKNOWN, post};

on_each_database!(
    invalid_quotes_are_rejected,
    invalid_bets_are_rejected,
    invalid_sales_are_rejected
);

/// Returns an order on a market's first option with additional fields.
fn order<'a>(who: &'a Client, market: &Value, what: &str, fields: Value) -> Case<'a> {
    let Value::Object(mut body) = fields else { panic!("{fields} are no fields") };
    body.entry("optionId").or_insert(market["options"][0]["id"].clone());
    post(who, &Fixture::of(market, what), Value::Object(body))
}

async fn invalid_quotes_are_rejected(database: Database) {
    let fixture = Fixture::new(database).await;
    let nobody = &fixture.nobody;
    let quote = |fields: Value| order(nobody, &fixture.open, "/quotes", fields);
    let held = text(&fixture.bet["shares"]);
    let mut cases = vec![
        post(nobody, &Fixture::of(&fixture.open, "/quotes"), json!({})).has(&[
            ("optionId", "required"),
            ("side", "required"),
            ("amount", "required"),
        ]),
        quote(json!({"side": "hold", "amount": "1.00"})).has(&[("side", "invalid")]),
        quote(json!({"side": "buy", "amount": "1.00", "shares": "1.00"}))
            .has(&[("amount", "invalid")]),
        quote(json!({"side": "sell", "amount": "1.00"}))
            .has(&[("amount", "invalid"), ("shares", "required")]),
        quote(json!({"side": "buy", "amount": 1.5, "odd": 1}))
            .has(&[("amount", "type"), ("odd", "unknown_field")]),
        quote(json!({"side": "buy", "shares": "0"})).has(&[("shares", "range")]),
        quote(json!({"side": "buy", "amount": "1.00", "optionId": UNKNOWN})).is(404, "NOT_FOUND"),
        quote(json!({"side": "buy", "amount": "1.00", "optionId": "yes"}))
            .has(&[("optionId", "format")]),
        quote(json!({"side": "sell", "shares": "1000.00"})).says(
            409,
            "INSUFFICIENT_SHARES",
            json!({"available": held, "needed": "1000.00"}),
        ),
        quote(json!({"side": "sell", "shares": "0.01"})).is(409, "TRADE_TOO_SMALL"),
        quote(json!({"side": "buy", "amount": "92233720368547758.07"})).is(409, "TRADE_TOO_LARGE"),
        quote(json!({"side": "buy", "shares": "92233720368547758.07"})).is(409, "TRADE_TOO_LARGE"),
        order(
            nobody,
            &json!({"id": UNKNOWN, "options": [{"id": UNKNOWN}]}),
            "/quotes",
            json!({"side": "buy", "amount": 1}),
        )
        .is(404, "NOT_FOUND"),
        order(
            nobody,
            &json!({"id": "x", "options": [{"id": UNKNOWN}]}),
            "/quotes",
            json!({"side": "buy", "amount": 1}),
        )
        .has(&[("id", "format")]),
    ];
    for market in [&fixture.closed, &fixture.ended, &fixture.resolved] {
        cases.push(
            order(nobody, market, "/quotes", json!({"side": "buy", "amount": "1.00"}))
                .is(409, "MARKET_CLOSED"),
        );
    }
    fixture.check(cases).await;
}

async fn invalid_bets_are_rejected(database: Database) {
    let fixture = Fixture::new(database).await;
    let (nobody, ben) = (&fixture.nobody, &fixture.ben);
    let bet = |fields: Value| order(ben, &fixture.open, "/bets", fields);
    let quote =
        json!({"optionId": fixture.open["options"][0]["id"], "side": "buy", "amount": "1.00"});
    let offered =
        text(&ben.post(&Fixture::of(&fixture.open, "/quotes"), quote).await.data(200)["shares"]);
    let (balance, bet_id) =
        (foretell_tests::money(ben.balance().await), text(&fixture.bet["clientId"]));
    let mut cases = vec![
        order(nobody, &fixture.open, "/bets", json!({"amount": 1.5})).is(401, "UNAUTHORIZED"),
        post(ben, &Fixture::of(&fixture.open, "/bets"), json!({}))
            .has(&[("optionId", "required"), ("amount", "required")]),
        bet(json!({"amount": -5, "clientId": "mine", "minShares": "x", "maxPrice": "cheap", "odd": 1})).has(
            &[
                ("amount", "format"),
                ("clientId", "format"),
                ("minShares", "format"),
                ("maxPrice", "type"),
                ("odd", "unknown_field"),
            ],
        ),
        bet(json!({"amount": "1.00", "maxPrice": 1.5})).has(&[("maxPrice", "range")]),
        bet(json!({"amount": "1.00", "maxPrice": 0})).has(&[("maxPrice", "range")]),
        bet(json!({"amount": "1.00", "optionId": UNKNOWN})).is(404, "NOT_FOUND"),
        bet(json!({"amount": "1.00", "minShares": "50.00"})).says(
            409,
            "SLIPPAGE",
            json!({"limit": "minShares", "offered": offered}),
        ),
        bet(json!({"amount": "1.00", "maxPrice": 0.01})).says(409, "SLIPPAGE", json!({"limit": "maxPrice"})),
        bet(json!({"amount": "2000.00"})).says(
            409,
            "INSUFFICIENT_FUNDS",
            json!({"available": balance, "needed": "2000.00"}),
        ),
        bet(json!({"amount": "92233720368547758.07"})).is(409, "TRADE_TOO_LARGE"),
        bet(json!({"amount": "1.00", "clientId": bet_id})).is(409, "DUPLICATE"),
        order(&fixture.cleo, &fixture.open, "/bets", json!({"amount": "0.01"})).says(
            409,
            "INSUFFICIENT_FUNDS",
            json!({"available": "0.00", "needed": "0.01"}),
        ),
        order(ben, &json!({"id": UNKNOWN, "options": [{"id": UNKNOWN}]}), "/bets", json!({"amount": 1}))
            .is(404, "NOT_FOUND"),
        order(ben, &json!({"id": "x", "options": [{"id": UNKNOWN}]}), "/bets", json!({"amount": 1}))
            .has(&[("id", "format")]),
    ];
    for market in [&fixture.closed, &fixture.ended, &fixture.resolved] {
        cases.push(order(ben, market, "/bets", json!({"amount": "1.00"})).is(409, "MARKET_CLOSED"));
    }
    fixture.check(cases).await;
}

async fn invalid_sales_are_rejected(database: Database) {
    let fixture = Fixture::new(database).await;
    let (nobody, ben) = (&fixture.nobody, &fixture.ben);
    let sale = |fields: Value| order(ben, &fixture.open, "/sales", fields);
    let held = text(&fixture.bet["shares"]);
    let quote =
        json!({"optionId": fixture.open["options"][0]["id"], "side": "sell", "shares": "10.00"});
    let offered =
        text(&ben.post(&Fixture::of(&fixture.open, "/quotes"), quote).await.data(200)["amount"]);
    let none_held = json!({"available": "0.00", "needed": "0.00"});
    let mut cases = vec![
        order(nobody, &fixture.open, "/sales", json!({"shares": "all"})).is(401, "UNAUTHORIZED"),
        post(ben, &Fixture::of(&fixture.open, "/sales"), json!({}))
            .has(&[("optionId", "required"), ("shares", "required")]),
        sale(json!({"shares": "some", "clientId": 5, "minProceeds": "0", "odd": 1})).has(&[
            ("shares", "format"),
            ("clientId", "type"),
            ("minProceeds", "range"),
            ("odd", "unknown_field"),
        ]),
        sale(json!({"shares": "0.00"})).has(&[("shares", "range")]),
        sale(json!({"shares": "ALL"})).has(&[("shares", "format")]),
        sale(json!({"shares": "1.00", "optionId": UNKNOWN})).is(404, "NOT_FOUND"),
        sale(json!({"shares": "1000.00"})).says(
            409,
            "INSUFFICIENT_SHARES",
            json!({"available": held, "needed": "1000.00"}),
        ),
        sale(json!({"shares": "all", "optionId": fixture.open["options"][1]["id"]})).says(
            409,
            "INSUFFICIENT_SHARES",
            none_held.clone(),
        ),
        order(&fixture.cleo, &fixture.open, "/sales", json!({"shares": "all"})).says(
            409,
            "INSUFFICIENT_SHARES",
            none_held,
        ),
        sale(json!({"shares": "0.01"})).is(409, "TRADE_TOO_SMALL"),
        sale(json!({"shares": "10.00", "minProceeds": "10.00"})).says(
            409,
            "SLIPPAGE",
            json!({"limit": "minProceeds", "offered": offered}),
        ),
        sale(json!({"shares": "1.00", "clientId": text(&fixture.bet["clientId"])}))
            .is(409, "DUPLICATE"),
        order(
            ben,
            &json!({"id": UNKNOWN, "options": [{"id": UNKNOWN}]}),
            "/sales",
            json!({"shares": 1}),
        )
        .is(404, "NOT_FOUND"),
    ];
    for market in [&fixture.closed, &fixture.resolved] {
        cases.push(order(ben, market, "/sales", json!({"shares": "all"})).is(409, "MARKET_CLOSED"));
    }
    fixture.check(cases).await;
}
