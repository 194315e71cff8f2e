//! Tests that a cached market equals the stored one.

use serde_json::json;

use super::{SECONDS_TO_END, command, open};
use crate::support::TestApp;

#[actix_web::test]
async fn own_bet_is_visible_immediately() {
    let app = TestApp::start().await;
    let (creator, ann) = (app.user("carl").await, app.user("ann").await);
    let market = open(&app, &creator).await;
    for bets in 1..=20 {
        market.read(&app).await;
        market.bet(&app, &ann, 0, "1").await;
        let reply = app.get(&market.path).await;
        assert_eq!(reply.header("ETag"), format!("\"{}\"", bets + 1));
        assert_eq!(
            (&reply.ok(200)["betCount"], &reply.ok(200)["version"]),
            (&json!(bets), &json!(bets + 1))
        );
    }
    market.sell(&app, &ann, 0, "1").await;
    assert_eq!(market.read(&app).await["version"], 22);
}

#[actix_web::test]
async fn cached_market_equals_rendered_market() {
    let app = TestApp::start().await;
    let creator = app.user("carl").await;
    let market = open(&app, &creator).await;
    let (first, again) = (app.get(&market.path).await, app.get(&market.path).await);
    assert_eq!(
        (first.ok(200), first.header("Content-Type")),
        (again.ok(200), again.header("Content-Type"))
    );
    assert_eq!(again.ok(200), market.body);
    let known = app.get(&market.path).header("If-None-Match", again.header("ETag")).await;
    assert_eq!((known.status.as_u16(), known.header("ETag")), (304, again.header("ETag")));
    let chosen = app.get(&format!("{}?fields=id", market.path)).await.ok(200);
    assert_eq!(chosen, json!({ "id": market.id }));
}

#[actix_web::test]
async fn edits_closings_and_deletions_apply_immediately() {
    let app = TestApp::start().await;
    let creator = app.user("carl").await;
    let market = open(&app, &creator).await;
    market.read(&app).await;
    app.patch(&market.path).by(&creator).json(&json!({ "name": "Another name" })).await.ok(200);
    assert_eq!(market.read(&app).await["name"], "Another name");
    command(&app, &market.at("close"), &creator, &json!({})).await.ok(200);
    assert_eq!(market.read(&app).await["status"], "closed");
    app.delete(&market.path).by(&creator).await;
    app.get(&market.path).await.refused(404, "NOT_FOUND");
}

#[actix_web::test]
async fn market_ends_without_a_write() {
    let app = TestApp::start().await;
    let creator = app.user("carl").await;
    let market = open(&app, &creator).await;
    assert_eq!(market.read(&app).await["status"], "open");
    app.clock.advance_seconds(SECONDS_TO_END);
    let ended = app.get(&market.path).await;
    assert_eq!(
        (ended.ok(200)["status"].clone(), ended.header("ETag")),
        (json!("closed"), "\"1-ended\"")
    );
}
