//! Tests that a payment passes the waiting batches of another user.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use foretell_tests::{
    Answer, Client, Database, Server, eventually, new_key, on_each_database, text,
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

on_each_database!(payment_passes_waiting_batches);

/// Number of batches that wait before the payment arrives.
const BATCHES: usize = 10;
/// One lane on Postgres as on SQLite, and timeouts for a slow machine.
const SETTINGS: [(&str, &str); 5] = [
    ("FORETELL__ACCOUNTS__SIGNUP_GRANT", "1000"),
    ("FORETELL__WRITER__LANES", "1"),
    ("FORETELL__WRITER__MAX_WAIT_MS", "60000"),
    ("FORETELL__DATABASE__WAIT_MS", "60000"),
    ("FORETELL__SERVER__ANSWER_TIMEOUT_MS", "60000"),
];

fn spawn(client: &Client, path: &'static str, body: Value) -> JoinHandle<Answer> {
    let client = client.clone();
    tokio::spawn(async move { client.post_once(path, &new_key(), body).await })
}

/// Waits until so many commands wait for the money writer.
async fn until_waiting(client: &Client, count: usize) {
    let line = format!("foretell_writer_queue_length {count}");
    eventually("the commands wait", async || {
        let metrics = client.get("/metrics").await.expect(200).body;
        metrics.as_str()?.lines().any(|other| other == line).then_some(())
    })
    .await;
}

async fn payment_passes_waiting_batches(database: Database) {
    let server = Server::start_with(database, &SETTINGS).await;
    let (ada, ben, eve) =
        (server.register("ada").await, server.register("ben").await, server.register("eve").await);
    let admin = server.admin().await;
    let payment = |from: &Client, amount: &str| json!({"fromAccountId": from.account_id, "toAccountId": ben.account_id, "amount": amount});
    let batch = json!({"mode": "independent", "transfers": vec![payment(&eve, "0.01"); 1_000]});
    let hold = server.home().hold_writers();
    let batches: Vec<_> =
        (0..BATCHES).map(|_| spawn(&eve, "/transfers/batch", batch.clone())).collect();
    // One of them is in the unit of work that waits for the database.
    until_waiting(&ada, BATCHES - 1).await;
    let paid = spawn(&ada, "/transfers", payment(&ada, "1.00"));
    until_waiting(&ada, BATCHES).await;
    drop(hold);
    let paid = text(&paid.await.unwrap().data(201)["createdAt"]);
    let mut before = 0;
    for answer in batches {
        let results = answer.await.unwrap().data(200);
        assert_eq!(results[999]["status"], "completed", "{}", results[999]);
        before += usize::from(text(&results[0]["transfer"]["createdAt"]) < paid);
    }
    assert!(before <= 2, "the payment came after {before} of {BATCHES} batches");
    admin.check_audit().await;
}
