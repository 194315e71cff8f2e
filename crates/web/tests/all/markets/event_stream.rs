//! Tests of the event stream: its format, its start and its end.

use serde_json::{Value, json};

use super::{Opened, fresh_key, open};
use crate::support::{Reply, TestApp, TestUser};

/// Creates a decided market with two traders, so that its stream ends.
async fn decided(app: &TestApp) -> (Opened, TestUser) {
    let creator = app.user("carl").await;
    let market = open(app, &creator).await;
    let trader = app.user("grace").await;
    market.bet(app, &trader, 0, "5").await;
    market.bet(app, &trader, 1, "7.50").await;
    let winner = json!({ "optionId": market.options[0] });
    app.post(&market.at("resolution")).by(&creator).key(&fresh_key()).json(&winner).await.ok(200);
    (market, creator)
}

/// Returns the events of a stream that has ended: id, name and data.
fn events(reply: &Reply) -> Vec<(String, String, Value)> {
    assert_eq!(reply.status.as_u16(), 200, "{reply}");
    assert_eq!(reply.header("Content-Type"), "text/event-stream");
    assert_eq!(reply.header("Cache-Control"), "no-store");
    let text = String::from_utf8(reply.body.clone()).unwrap();
    let (begin, rest) = text.split_once("\n\n").unwrap();
    assert_eq!(begin, "retry: 2000");
    let event = |block: &str| {
        let fields: Vec<_> = block.split('\n').map(|line| line.split_once(": ").unwrap()).collect();
        let [("id", id), ("event", name), ("data", data)] = fields[..] else { panic!("{block}") };
        (id.to_owned(), name.to_owned(), serde_json::from_str(data).unwrap())
    };
    rest.split_terminator("\n\n").map(event).collect()
}

#[actix_web::test]
async fn stream_events_equal_route_responses() {
    let app = TestApp::start().await;
    let (market, _) = decided(&app).await;
    let stream = app.get(&market.at("events")).header("Last-Event-ID", "0-open").await;
    let events = events(&stream);
    let names: Vec<_> = events.iter().map(|(id, name, _)| (id.as_str(), name.as_str())).collect();
    assert_eq!(names, [("1-open", "trade"), ("2-open", "trade"), ("2-resolved", "status")]);
    let bets = app.get(&market.at("bets")).await.ok(200);
    assert_eq!((&events[0].2, &events[1].2), (&bets[1], &bets[0]));
    assert_eq!(events[2].2, app.get(&market.path).await.ok(200));
}

#[actix_web::test]
async fn stream_resumes_after_last_event() {
    let app = TestApp::start().await;
    let (market, _) = decided(&app).await;
    let ids = async |last: &str| {
        let stream = app.get(&market.at("events")).header("Last-Event-ID", last).await;
        events(&stream).into_iter().map(|(id, ..)| id).collect::<Vec<_>>()
    };
    assert_eq!(ids("1-open").await, ["2-open", "2-resolved"]);
    assert_eq!(ids("2-closed").await, ["2-resolved"]);
    let begun_now = app.get(&market.at("events")).await;
    assert_eq!(
        events(&begun_now).into_iter().map(|(id, ..)| id).collect::<Vec<_>>(),
        ["2-resolved"]
    );
    let ended = app.get(&market.at("events")).header("Last-Event-ID", "2-resolved").await;
    assert_eq!((ended.status.as_u16(), ended.body.len()), (204, 0));
}

#[actix_web::test]
async fn invalid_stream_request_is_rejected() {
    let app = TestApp::start().await;
    let (market, _) = decided(&app).await;
    for last in ["3-open", "x", "1", "-1-open", "1-ended"] {
        let refused = app.get(&market.at("events")).header("Last-Event-ID", last).await;
        let errors = refused.errors();
        assert!(
            matches!(&errors[..], [error] if error.starts_with("Last-Event-ID: ")),
            "{last}: {errors:?}"
        );
    }
    app.get("/markets/01900000-0000-7000-8000-000000000000/events").await.refused(404, "NOT_FOUND");
    assert_eq!(app.get(&(market.at("events") + "?from=1")).await.errors(), ["from: unknown_field"]);
}

#[actix_web::test]
async fn edits_and_clarifications_are_events() {
    let app = TestApp::start().await;
    let creator = app.user("carl").await;
    let market = open(&app, &creator).await;
    let edit = json!({ "name": "Will it snow?" });
    app.patch(&market.path).by(&creator).json(&edit).await.ok(200);
    let trader = app.user("grace").await;
    market.bet(&app, &trader, 0, "5").await;
    let text = json!({ "text": "Sleet counts as snow." });
    app.post(&market.at("clarifications")).by(&creator).json(&text).await.ok(201);
    app.post(&market.at("cancellation"))
        .by(&creator)
        .key(&fresh_key())
        .json(&json!({}))
        .await
        .ok(200);
    let seen = async |last: &str| {
        let stream = app.get(&market.at("events")).header("Last-Event-ID", last).await;
        let pair = |(id, name, _): (String, String, Value)| format!("{id} {name}");
        events(&stream).into_iter().map(pair).collect::<Vec<_>>()
    };
    let end = ["1-open-3 edited", "1-cancelled-3 status"];
    assert_eq!(seen("0-open").await, ["1-open trade", end[0], end[1]]);
    assert_eq!(seen("1-open-2").await, end);
    assert_eq!(seen("1-open-3").await, end[1..]);
    let ahead = app.get(&market.at("events")).header("Last-Event-ID", "1-open-4").await;
    ahead.refused(400, "VALIDATION_ERROR");
    let over = app.get(&market.at("events")).header("Last-Event-ID", "1-cancelled-3").await;
    assert_eq!(over.status.as_u16(), 204);
}
