//! Tests that one key has one effect: repetitions get the first response, whatever has happened
//! since.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use foretell_tests::{Client, Database, Server, money, new_id, new_key, on_each_database, text};
use futures::future::join_all;
use serde_json::{Value, json};

on_each_database!(
    concurrent_requests_with_key_have_one_effect,
    key_with_another_request_is_rejected,
    rejections_are_replayed,
    key_is_required,
    replays_survive_restart,
    client_ids_are_accepted,
);

fn payment(from: &Client, to: &Client, amount: &str) -> Value {
    json!({"fromAccountId": from.account_id, "toAccountId": to.account_id, "amount": amount})
}

fn bets_of(market: &Value) -> String {
    format!("/markets/{}/bets", text(&market["id"]))
}

fn bet(market: &Value, amount: &str) -> Value {
    json!({"optionId": market["options"][0]["id"], "amount": amount})
}

/// Sends one request 50 times at once under one key: one is executed, all get the same response.
async fn check_once(client: &Client, path: &str, body: Value) {
    let key = new_key();
    let answers = join_all((0..50).map(|_| client.post_once(path, &key, body.clone()))).await;
    let replays = answers.iter().filter(|answer| answer.is_replay()).count();
    assert_eq!(replays, 49, "one of 50 requests to {path} is the first");
    let first = answers[0].clone().expect(201);
    for answer in answers {
        assert_eq!(answer.body, first.body, "{path}");
        assert_eq!(answer.status, 201);
        assert_eq!(answer.header("location"), first.header("location"), "{path}");
    }
}

async fn concurrent_requests_with_key_have_one_effect(database: Database) {
    let server = Server::start(database).await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let market = ada.open_market(&["Yes", "No"], "100.00").await;

    check_once(&ada, "/transfers", payment(&ada, &ben, "10.00")).await;
    assert_eq!(money(ada.balance().await), "890.00");
    assert_eq!(money(ben.balance().await), "1010.00");

    check_once(&ben, &bets_of(&market), bet(&market, "5.00")).await;
    assert_eq!(money(ben.balance().await), "1005.00");
    assert_eq!(ben.all(&bets_of(&market)).await.len(), 1);

    let path = format!("/markets/{}/sales", text(&market["id"]));
    check_once(&ben, &path, json!({"optionId": market["options"][0]["id"], "shares": "1.00"}))
        .await;
    assert_eq!(ben.all(&bets_of(&market)).await.len(), 2);

    check_once(&ben, "/markets", foretell_tests::market(&["Yes", "No"], "10.00")).await;
    assert_eq!(ben.all("/markets").await.len(), 2);
}

async fn key_with_another_request_is_rejected(database: Database) {
    let server = Server::start(database).await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let market = ada.open_market(&["Yes", "No"], "100.00").await;
    ada.post_once("/transfers", "key", payment(&ada, &ben, "10.00")).await.expect(201);

    let other_amount = ada.post_once("/transfers", "key", payment(&ada, &ben, "10.01")).await;
    other_amount.refused(422, "IDEMPOTENCY_MISMATCH");
    let other_route = ada.post_once(&bets_of(&market), "key", bet(&market, "10.00")).await;
    other_route.refused(422, "IDEMPOTENCY_MISMATCH");
    assert_eq!(money(ada.balance().await), "890.00");

    // The same request in another form is equal, and another user's keys are separate.
    let same =
        json!({"amount": 10, "toAccountId": ben.account_id, "fromAccountId": ada.account_id});
    assert!(ada.post_once("/transfers", "key", same).await.expect(201).is_replay());
    let others = ben.post_once("/transfers", "key", payment(&ben, &ada, "1.00")).await.expect(201);
    assert!(!others.is_replay());
}

async fn rejections_are_replayed(database: Database) {
    let server = Server::start(database).await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let market = ada.open_market(&["Yes", "No"], "100.00").await;
    let (path, body) = (bets_of(&market), bet(&market, "1500.00"));

    let first = ben.post_once(&path, "key", body.clone()).await.refused(409, "INSUFFICIENT_FUNDS");
    assert!(!first.is_replay());
    assert_eq!(first.body["details"], json!({"available": "1000.00", "needed": "1500.00"}));
    ada.pay(&ben, "800.00").await.expect(201);

    let second = ben.post_once(&path, "key", body.clone()).await.refused(409, "INSUFFICIENT_FUNDS");
    assert!(second.is_replay());
    assert_eq!(second.body["details"], first.body["details"]);
    ben.post(&path, body).await.expect(201);
}

async fn key_is_required(database: Database) {
    let server = Server::start(database).await;
    let admin = server.admin().await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let market = ada.open_market(&["Yes", "No"], "100.00").await;
    let paid = ada.post("/transfers", payment(&ada, &ben, "1.00")).await.data(201);
    let (market_path, option) =
        (format!("/markets/{}", text(&market["id"])), &market["options"][0]["id"]);

    let requests = [
        ("/transfers".to_owned(), payment(&ada, &ben, "1.00")),
        (
            "/transfers/batch".to_owned(),
            json!({"mode": "atomic", "transfers": [payment(&ada, &ben, "1.00")]}),
        ),
        (format!("/transfers/{}/reversal", text(&paid["id"])), json!({})),
        ("/mints".to_owned(), json!({"accountId": ada.account_id, "amount": "1.00"})),
        ("/markets".to_owned(), foretell_tests::market(&["Yes", "No"], "1.00")),
        (format!("{market_path}/bets"), bet(&market, "1.00")),
        (format!("{market_path}/sales"), json!({"optionId": option, "shares": "all"})),
        (format!("{market_path}/close"), json!({})),
        (format!("{market_path}/resolution"), json!({"optionId": option})),
        (format!("{market_path}/cancellation"), json!({})),
    ];
    for (path, body) in requests {
        let request = admin.request(reqwest::Method::POST, &path).json(&body);
        let answer = foretell_tests::send(request).await.refused(400, "VALIDATION_ERROR");
        assert_eq!(
            answer.field_errors(),
            [("Idempotency-Key".to_owned(), "required".to_owned())],
            "{path}"
        );
    }
    assert_eq!(money(ada.balance().await), "899.00", "nothing was done");
}

async fn replays_survive_restart(database: Database) {
    let mut server = Server::start(database).await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let market = ada.open_market(&["Yes", "No"], "100.00").await;
    let requests = [
        ("/transfers".to_owned(), payment(&ben, &ada, "10.00")),
        (bets_of(&market), bet(&market, "12.34")),
        (bets_of(&market), bet(&market, "5000.00")),
        ("/markets".to_owned(), foretell_tests::market(&["Up", "Down"], "50.00")),
    ];
    let mut first = Vec::new();
    for (number, (path, body)) in requests.iter().enumerate() {
        first.push(ben.post_once(path, &number.to_string(), body.clone()).await);
    }
    assert_eq!(first.iter().map(|answer| answer.status).collect::<Vec<_>>(), [201, 201, 409, 201]);

    server.stop_cleanly().await;
    server.start_again().await;
    let ben = ben.moved_to(server.origin());
    for (number, ((path, body), first)) in requests.iter().zip(first).enumerate() {
        let again = ben.post_once(path, &number.to_string(), body.clone()).await;
        assert!(again.is_replay(), "{path}");
        assert_eq!(
            (again.status, &again.body["data"]),
            (first.status, &first.body["data"]),
            "{path}"
        );
        assert_eq!(again.body["code"], first.body["code"], "{path}");
    }
    assert_eq!(money(ben.balance().await), "927.66");
}

async fn client_ids_are_accepted(database: Database) {
    let server = Server::start(database).await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let market = ada.open_market(&["Yes", "No"], "100.00").await;

    let id = new_id();
    let path = format!("/transfers/{id}");
    ada.get(&path).await.refused(404, "NOT_FOUND");
    let mut body = payment(&ada, &ben, "10.00");
    body["clientId"] = json!(id);
    let made = ada.post("/transfers", body.clone()).await.data(201);
    assert_eq!(ada.get(&path).await.data(200), made);
    ada.post("/transfers", body).await.refused(409, "DUPLICATE");
    // Ben was paid, but the client id is Ada's.
    ben.get(&path).await.refused(404, "NOT_FOUND");
    assert_eq!(
        ben.get(&format!("/transfers/{}", text(&made["id"]))).await.data(200)["amount"],
        "10.00"
    );
    let mut body = payment(&ben, &ada, "3.00");
    body["clientId"] = json!(id);
    ben.post("/transfers", body).await.expect(201);
    assert_eq!(ben.get(&path).await.data(200)["amount"], "3.00");
    assert_eq!(ada.get(&path).await.data(200)["amount"], "10.00");

    let id = new_id();
    let path = format!("/bets/{id}");
    ben.get(&path).await.refused(404, "NOT_FOUND");
    let mut body = bet(&market, "7.00");
    body["clientId"] = json!(id);
    let made = ben.post(&bets_of(&market), body.clone()).await.data(201);
    let found = ben.get(&path).await.data(200);
    assert_eq!((&found["id"], &found["shares"]), (&made["id"], &made["shares"]));
    ben.post(&bets_of(&market), body.clone()).await.refused(409, "DUPLICATE");
    for other in [&ada, &server.client()] {
        other.get(&path).await.refused(404, "NOT_FOUND");
    }
    let others = ada.post(&bets_of(&market), body).await.data(201);
    assert_eq!(ada.get(&path).await.data(200)["id"], others["id"]);
    assert_eq!(money(ben.balance().await), "1000.00");
}
