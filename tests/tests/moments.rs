//! Tests that the balance at a past time never changes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use std::time::Duration;

use foretell_tests::{Database, Server, on_each_database, seconds_from_now, text};
use serde_json::json;

on_each_database!(balance_at_past_time_is_final, balance_at_future_time_is_rejected);

/// Transfers wait for their locks while the balance at the current time is read.
async fn balance_at_past_time_is_final(database: Database) {
    let server =
        Server::start_with(database, &[("FORETELL__SERVER__ANSWER_TIMEOUT_MS", "20000")]).await;
    let (ada, bob) = (server.register("ada").await, server.register("bob").await);
    let own = format!("/accounts/{}", bob.account_id);
    let hold = server.home().hold_writers();
    let payment = {
        let (ada, bob) = (ada.clone(), bob.clone());
        tokio::spawn(async move { ada.pay(&bob, "1.00").await })
    };
    // Long enough for the payment to wait for its locks; otherwise the test only proves less.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let moment = seconds_from_now(0);
    let path = format!("{own}?at={moment}");
    let asked = {
        let (bob, path) = (bob.clone(), path.clone());
        tokio::spawn(async move { bob.get(&path).await.data(200) })
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(hold);
    payment.await.unwrap().data(201);
    let first = asked.await.unwrap();
    assert_eq!(bob.get(&path).await.data(200)["balance"], first["balance"]);
}

async fn balance_at_future_time_is_rejected(database: Database) {
    let server = Server::start(database).await;
    let ada = server.register("ada").await;
    let path = format!("/accounts/{}?at=", ada.account_id);
    let refused = ada.get(&format!("{path}{}", seconds_from_now(60))).await;
    assert_eq!((refused.status, &refused.body["code"]), (409, &json!("CONFLICT")));
    let newest = text(&refused.body["details"]["newestFinal"]);
    ada.get(&format!("{path}{newest}")).await.data(200);
}
