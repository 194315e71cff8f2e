//! Tests of price histories.

use serde_json::{Value, json};

use super::{Opened, open};
use crate::support::TestApp;

/// Returns the text of `[open, high, low, close]` of each candle of an option.
fn candles(chart: &Value, option: usize) -> Vec<(String, [f64; 4])> {
    let rows = chart["options"][option]["candles"].as_array().unwrap();
    let values =
        |row: &Value| ["open", "high", "low", "close"].map(|field| row[field].as_f64().unwrap());
    rows.iter().map(|row| (row["start"].as_str().unwrap().to_owned(), values(row))).collect()
}

#[actix_web::test]
async fn price_history_aggregates_trades_by_interval() {
    let app = TestApp::start().await;
    let (carl, ann) = (app.user("carl").await, app.user("ann").await);
    let market = open(&app, &carl).await;
    app.clock.advance_seconds(30);
    let up = market.bet(&app, &ann, 0, "50").await["priceAfter"].as_f64().unwrap();
    let down = market.bet(&app, &ann, 1, "80").await["pricesAfter"][0].as_f64().unwrap();
    app.clock.advance_seconds(3 * 60);
    let last = market.bet(&app, &ann, 0, "5").await["priceAfter"].as_f64().unwrap();
    let chart = async |query: &str| app.get(&market.at(&format!("prices?{query}"))).await.ok(200);

    let minutes = chart("interval=1m&from=2026-01-01T12:00:10Z&to=2026-01-01T12:30:00Z").await;
    assert_eq!(
        (&minutes["interval"], &minutes["from"]),
        (&json!("1m"), &json!("2026-01-01T12:00:00Z"))
    );
    assert_eq!(minutes["to"], "2026-01-01T12:30:00Z");
    let expected = [
        ("2026-01-01T12:00:00Z".to_owned(), [0.5, up, down, down]),
        ("2026-01-01T12:03:00Z".to_owned(), [down, last, down, last]),
    ];
    assert_eq!(candles(&minutes, 0), expected);
    assert_eq!(minutes["options"][1]["optionId"], market.options[1]);
    assert_eq!(candles(&minutes, 1).len(), 2);
    let volumes = json!([
        { "start": "2026-01-01T12:00:00Z", "volume": "130.00", "trades": 2 },
        { "start": "2026-01-01T12:03:00Z", "volume": "5.00", "trades": 1 },
    ]);
    assert_eq!(minutes["volumes"], volumes);

    app.clock.advance_seconds(1);
    let hours = chart("").await;
    assert_eq!((&hours["interval"], &hours["to"]), (&json!("1h"), &json!("2026-01-01T12:03:31Z")));
    assert_eq!(hours["from"], "2025-12-28T08:00:00Z", "a hundred hours before");
    assert_eq!(candles(&hours, 0), [("2026-01-01T12:00:00Z".to_owned(), [0.5, up, down, last])]);
    let days = chart("interval=1d").await;
    assert_eq!(candles(&days, 0), [("2026-01-01T00:00:00Z".to_owned(), [0.5, up, down, last])]);
    let later = chart("interval=1m&from=2026-01-01T12:03:00Z").await;
    assert_eq!(candles(&later, 0), expected[1..], "the first price comes from the trades before");
    let before = chart("interval=1m&to=2026-01-01T12:00:30Z").await;
    assert_eq!(
        (candles(&before, 0), &before["volumes"]),
        (Vec::new(), &json!([])),
        "to is not included"
    );
}

#[actix_web::test]
async fn price_history_has_order_and_limit() {
    let app = TestApp::start().await;
    let carl = app.user("carl").await;
    let market: Opened = open(&app, &carl).await;
    let check = async |query: &str, expected: &[&str]| {
        let reply = app.get(&market.at(&format!("prices?{query}"))).await;
        if expected.is_empty() {
            reply.ok(200);
        } else {
            assert_eq!(reply.errors(), expected, "{query}");
        }
    };
    let noon = "2026-01-01T12:00:00Z";
    check(
        "interval=2h&from=x&to=y&step=1",
        &["from: format", "interval: invalid", "step: unknown_field", "to: format"],
    )
    .await;
    check(&format!("from={noon}&to={noon}"), &["from: range"]).await;
    check(&format!("from={noon}"), &["from: range"]).await;
    check("from=2026-01-02T00:00:00Z", &["from: range"]).await;
    // 1,000 minutes, to the microsecond.
    check(&format!("interval=1m&from=2025-12-31T19:20:00Z&to={noon}"), &[]).await;
    check(&format!("interval=1m&from=2025-12-31T19:19:59.999999Z&to={noon}"), &["from: range"])
        .await;
    check(&format!("interval=1d&from=2023-04-07T12:00:00Z&to={noon}"), &[]).await;
    check(&format!("interval=1d&from=2023-04-07T11:59:59Z&to={noon}"), &["from: range"]).await;
    check("from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z", &["from: range"]).await;
    check("to=0001-01-02T00:00:00Z", &[]).await;
}
