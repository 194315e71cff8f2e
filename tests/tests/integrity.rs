//! Attacks of those who run a market on those who bet on it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use foretell_tests::{Client, Database, Server, on_each_database, text};
use reqwest::Method;
use serde_json::{Value, json};

on_each_database!(question_is_frozen_once_others_have_bet, edits_beside_bets_never_change_question);

/// Sends an edit of a market.
async fn edit(client: &Client, market: &Value, body: Value) -> foretell_tests::Answer {
    let path = format!("/markets/{}", text(&market["id"]));
    foretell_tests::send(client.request(Method::PATCH, &path).json(&body)).await
}

/// Three requests took 1,000.00 from others: bets on Yes are made, the question becomes its
/// opposite, and the creator bets on No.
async fn question_is_frozen_once_others_have_bet(database: Database) {
    let server = Server::start(database).await;
    let (eve, ben) = (server.register("eve").await, server.register("ben").await);
    let market = eve.open_market(&["Yes", "No"], "100.00").await;
    let path = format!("/markets/{}", text(&market["id"]));
    edit(&eve, &market, json!({ "name": "Will it rain on Sunday?" })).await.data(200);
    ben.bet(&market, 0, "500.00").await.data(201);
    let opposite = json!({ "name": "Will it stay dry on Sunday?" });
    edit(&eve, &market, opposite.clone()).await.refused(409, "QUESTION_FROZEN");
    edit(&eve, &market, json!({ "description": "Everything but rain." }))
        .await
        .refused(409, "QUESTION_FROZEN");
    // Also after the shares are sold.
    ben.sell(&market, 0, "all").await.data(201);
    edit(&eve, &market, opposite.clone()).await.refused(409, "QUESTION_FROZEN");
    let admin = server.admin().await;
    edit(&admin, &market, json!({ "name": "Will it rain on Sunday, 3 May?" })).await.data(200);
    eve.post(&format!("{path}/clarifications"), json!({ "text": "Drizzle counts." }))
        .await
        .data(201);
    let history = ben.get(&format!("{path}/history")).await.data(200);
    let names: Vec<_> = history.as_array().unwrap().iter().map(|row| text(&row["kind"])).collect();
    assert_eq!(names, ["clarified", "edited", "edited", "opened"]);
    assert_eq!(history[3]["name"], market["name"], "the first question stays public");
    admin.check_audit().await;
}

/// Bets and edits at the same time: no question changes after the first bet was acknowledged.
async fn edits_beside_bets_never_change_question(database: Database) {
    let server = Server::start(database).await;
    let (eve, ben) = (server.register("eve").await, server.register("ben").await);
    for round in 0..8 {
        let market = eve.open_market(&["Yes", "No"], "10.00").await;
        let name = format!("Another question, number {round}?");
        let (bet, edited) =
            tokio::join!(ben.bet(&market, 0, "1.00"), edit(&eve, &market, json!({ "name": name })));
        let bet = bet.data(201);
        let history = eve.get(&format!("/markets/{}/history", text(&market["id"]))).await.data(200);
        if edited.status == 200 {
            // The edit came first: its version is below that of the bet.
            assert_eq!(bet["marketVersion"], 3, "{bet:#}");
            assert_eq!(history[0]["name"], json!(name));
        } else {
            edited.refused(409, "QUESTION_FROZEN");
            assert_eq!(history.as_array().map(Vec::len), Some(1), "{history:#}");
        }
    }
}
