//! Tests of repeated commands, and of client ids.

use serde_json::{Value, json};

use super::{Opened, Reply, audit, balance, command, open};
use crate::support::{TestApp, TestUser};

const CHOSEN: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

fn assert_same(again: &Reply, first: &Reply) {
    assert_eq!(
        (again.header("Idempotency-Replayed"), first.header("Idempotency-Replayed")),
        ("true", "")
    );
    assert_eq!(again.status, first.status);
    if first.status.is_success() {
        assert_eq!(again.body, first.body);
        assert_eq!(again.header("Location"), first.header("Location"));
        return;
    }
    // An error contains the id of its own request.
    let (mut again, mut first) = (again.json(), first.json());
    (again["requestId"], first["requestId"]) = (json!(null), json!(null));
    assert_eq!(again, first);
}

#[actix_web::test]
async fn repeated_trade_is_replayed() {
    let app = TestApp::start().await;
    let (creator, ann, bob) =
        (app.user("carl").await, app.user("ann").await, app.user("bob").await);
    let market = open(&app, &creator).await;
    let bet = async |key: &str, amount: &str| {
        let order = json!({ "optionId": market.options[0], "amount": amount });
        app.post(&market.at("bets")).by(&ann).key(key).json(&order).await
    };
    let sell = async |key: &str| {
        let order = json!({ "optionId": market.options[0], "shares": "all" });
        app.post(&market.at("sales")).by(&ann).key(key).json(&order).await
    };
    let (first_bet, poor) = (bet("bet", "50").await, bet("poor", "950.01").await);
    poor.refused(409, "INSUFFICIENT_FUNDS");
    let first_sale = sell("sale").await;
    first_sale.ok(201);
    market.bet(&app, &bob, 1, "20").await;
    let (report, held) = (audit(&app).await, balance(&app, &ann).await);

    assert_same(&bet("bet", "50.00").await, &first_bet);
    assert_same(&sell("sale").await, &first_sale);
    // Rejections are replayed, even after the money became available.
    assert_same(&bet("poor", "950.01").await, &poor);
    bet("bet", "50.01").await.refused(422, "IDEMPOTENCY_MISMATCH");
    sell("bet").await.refused(422, "IDEMPOTENCY_MISMATCH");
    assert_eq!((audit(&app).await, balance(&app, &ann).await), (report, held));
}

#[actix_web::test]
async fn keys_of_users_are_independent() {
    let app = TestApp::start().await;
    let (creator, ann, bob) =
        (app.user("carl").await, app.user("ann").await, app.user("bob").await);
    let market = open(&app, &creator).await;
    let bet = async |user: &TestUser| {
        let order = json!({ "optionId": market.options[0], "amount": "50" });
        app.post(&market.at("bets")).by(user).key("same").json(&order).await.ok(201)
    };
    assert_ne!(bet(&ann).await["id"], bet(&bob).await["id"]);
    assert_eq!(audit(&app).await.bets, 2);
}

#[actix_web::test]
async fn client_id_of_trade_is_private() {
    let app = TestApp::start().await;
    let (creator, ann, bob) =
        (app.user("carl").await, app.user("ann").await, app.user("bob").await);
    let market = open(&app, &creator).await;
    let path = format!("/bets/{CHOSEN}");
    app.get(&path).await.refused(404, "NOT_FOUND");
    let order = json!({ "clientId": CHOSEN, "optionId": market.options[0], "amount": "50" });
    let reply = command(&app, &market.at("bets"), &ann, &order).await;
    let made = reply.ok(201);
    assert_eq!(made["clientId"], CHOSEN);
    let by_id = format!("/bets/{}", made["id"].as_str().unwrap());
    assert_ne!(made["id"], CHOSEN, "others would tell whether it is taken");
    assert_eq!(reply.header("Location"), format!("/api/v1{by_id}"));
    // Another user does not find it, may use it too, and then finds their own bet by it.
    app.get(&path).by(&bob).await.refused(404, "NOT_FOUND");
    app.get(&path).await.refused(404, "NOT_FOUND");
    let others = command(&app, &market.at("bets"), &bob, &order).await.ok(201);
    for (user, own) in [(&ann, &made), (&bob, &others)] {
        let found = app.get(&path).by(user).await.ok(200);
        assert_eq!((&found["id"], &found["transferId"]), (&own["id"], &own["transferId"]));
        // The older name means the same.
        let again =
            json!({ "id": CHOSEN.to_uppercase(), "optionId": market.options[0], "amount": "50" });
        let again = command(&app, &market.at("bets"), user, &again).await.refused(409, "DUPLICATE");
        assert_eq!(again["error"], format!("Bet already exists: {CHOSEN}"));
    }
    let seen = app.get(&by_id).by(&bob).await.ok(200);
    assert_eq!((&seen["clientId"], &seen["accountId"]), (&Value::Null, &Value::Null));
    let sale = json!({ "clientId": CHOSEN, "optionId": market.options[0], "shares": "all" });
    command(&app, &market.at("sales"), &ann, &sale).await.refused(409, "DUPLICATE");
    assert_eq!(audit(&app).await.bets, 2);
}

#[actix_web::test]
async fn repeated_decision_is_replayed_and_pays_once() {
    let app = TestApp::start().await;
    let (creator, ann) = (app.user("carl").await, app.user("ann").await);
    let market = open(&app, &creator).await;
    market.bet(&app, &ann, 0, "50").await;
    let close = async || app.post(&market.at("close")).by(&creator).key("close").await;
    let decide = async |market: &Opened| {
        let winner = json!({ "optionId": market.options[0] });
        app.post(&market.at("resolution")).by(&creator).key("decide").json(&winner).await
    };
    let (closed, decided) = (close().await, decide(&market).await);
    decided.ok(200);
    let (report, held) = (audit(&app).await, balance(&app, &ann).await);
    app.clock.advance_seconds(60);
    assert_same(&close().await, &closed);
    assert_same(&decide(&market).await, &decided);
    assert_eq!((audit(&app).await, balance(&app, &ann).await), (report, held));
}
