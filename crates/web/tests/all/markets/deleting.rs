//! Tests of deleting a market without bets.

use serde_json::{Value, json};

use super::{Opened, SECONDS_TO_END, audit, balance, caller, command, open, snapshot};
use crate::support::{TestApp, TestUser};

/// Deletes a market, and returns the status.
async fn delete(app: &TestApp, market: &Opened, by: &TestUser) -> u16 {
    app.delete(&market.path).by(by).await.status.as_u16()
}

#[actix_web::test]
async fn deleted_market_refunds_its_subsidy() {
    let app = TestApp::start().await;
    let (creator, ann) = (app.user("carl").await, app.user("ann").await);
    let (market, other) = (open(&app, &creator).await, open(&app, &creator).await);
    let said =
        app.post(&market.at("comments")).by(&ann).json(&json!({ "content": "Why?" })).await.ok(201);
    assert_eq!(balance(&app, &creator).await, 80_000);
    let reply = app.delete(&market.path).by(&creator).await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (204, 0));
    assert_eq!(balance(&app, &creator).await, 90_000);
    let statement =
        app.get(&format!("/accounts/{}/transfers", creator.account_id)).by(&creator).await.ok(200);
    assert_eq!(
        (&statement[0]["kind"], &statement[0]["amount"], &statement[0]["marketId"]),
        (&json!("remainder"), &json!("100.00"), &json!(market.id))
    );
    let comment = format!("/comments/{}", said["id"].as_str().unwrap());
    for path in ["", "/bets", "/positions", "/prices", "/resolution", "/comments"]
        .map(|part| market.path.clone() + part)
    {
        app.get(&path).await.refused(404, "NOT_FOUND");
    }
    app.get(&comment).await.refused(404, "NOT_FOUND");
    let order = json!({ "optionId": market.options[0], "amount": "1" });
    command(&app, &market.at("bets"), &ann, &order).await.refused(404, "NOT_FOUND");
    let quote = json!({ "optionId": market.options[0], "side": "buy", "amount": "1" });
    app.post(&market.at("quotes")).json(&quote).await.refused(404, "NOT_FOUND");
    for part in ["close", "cancellation"] {
        command(&app, &market.at(part), &creator, &json!({})).await.refused(404, "NOT_FOUND");
    }
    app.patch(&market.path).by(&creator).json(&json!({})).await.refused(404, "NOT_FOUND");
    app.post(&market.at("comments"))
        .by(&ann)
        .json(&json!({ "content": "Oh" }))
        .await
        .refused(404, "NOT_FOUND");
    app.delete(&market.path).by(&creator).await.refused(404, "NOT_FOUND");
    let list = app.get("/markets").await.json();
    assert_eq!(
        (&list["meta"]["pagination"]["total"], &list["data"][0]["id"]),
        (&json!(1), &json!(other.id))
    );
    assert_eq!(audit(&app).await.markets, 1);
}

#[actix_web::test]
async fn deletion_by_moderator_refunds_creator() {
    let app = TestApp::start().await;
    let (creator, moderator, admin) =
        (app.user("carl").await, app.moderator().await, app.admin().await);
    let (one, two) = (open(&app, &creator).await, open(&app, &creator).await);
    assert_eq!(delete(&app, &one, &moderator).await, 204);
    command(&app, &two.at("close"), &creator, &json!({})).await.ok(200);
    assert_eq!(delete(&app, &two, &admin).await, 204, "also one that is closed");
    let ended = open(&app, &creator).await;
    app.clock.advance_seconds(SECONDS_TO_END + 1);
    let moderator = app.signed_in_again(&moderator).await;
    assert_eq!(delete(&app, &ended, &moderator).await, 204, "and one that has ended");
    for user in [&creator, &moderator, &admin] {
        assert_eq!(balance(&app, user).await, 100_000);
    }
    audit(&app).await;
}

#[actix_web::test]
async fn market_with_bets_cannot_be_deleted() {
    let app = TestApp::start().await;
    let (creator, ann) = (app.user("carl").await, app.user("ann").await);
    let (traded, sold) = (open(&app, &creator).await, open(&app, &creator).await);
    traded.bet(&app, &ann, 0, "10").await;
    sold.bet(&app, &ann, 0, "10").await;
    let order = json!({ "optionId": sold.options[0], "shares": "all" });
    command(&app, &sold.at("sales"), &ann, &order).await.ok(201);
    let decided = open(&app, &creator).await;
    command(&app, &decided.at("cancellation"), &creator, &json!({})).await.ok(200);
    for market in [&traded, &sold, &decided] {
        let before = snapshot(&app, market, &[&creator, &ann]).await;
        app.delete(&market.path).by(&creator).await.refused(409, "CONFLICT");
        app.delete(&market.path).by(&ann).await.refused(403, "FORBIDDEN");
        assert_eq!(snapshot(&app, market, &[&creator, &ann]).await, before);
    }
}

#[actix_web::test]
async fn concurrent_bet_and_deletion_exclude_each_other() {
    let app = TestApp::start().await;
    let (creator, ann) = (app.user("carl").await, app.user("ann").await);
    let (by_creator, by_ann) = (caller(&app, &creator).await, caller(&app, &ann).await);
    for is_bet_first in [true, false] {
        let market = open(&app, &creator).await;
        let (id, option_id) = (market.id.parse().unwrap(), market.options[0].parse().unwrap());
        let amount = foretell_domain::money::Amount::new(100).unwrap();
        let order = foretell_domain::market::BuyOrder {
            option_id,
            amount,
            min_shares: None,
            max_price: None,
        };
        let target = foretell_application::TradeTarget { market_id: id, client_id: None };
        let bet = async {
            app.application
                .trading
                .place_bet(&by_ann, super::fresh_key(), target, order)
                .await
                .unwrap()
        };
        let delete = app.application.markets.delete_market(&by_creator, id);
        // Both wait for the same batch.
        let (placed, deleted) = if is_bet_first {
            futures::join!(bet, delete)
        } else {
            let (deleted, placed) = futures::join!(delete, bet);
            (placed, deleted)
        };
        assert_eq!((placed.result.is_ok(), deleted.is_ok()), (is_bet_first, !is_bet_first));
        audit(&app).await;
    }
}

#[actix_web::test]
async fn repeated_opening_of_deleted_market_is_replayed() {
    let app = TestApp::start().await;
    let creator = app.user("carl").await;
    let post = || app.post("/markets").by(&creator).key("once").json(&super::opening());
    let opened: Value = post().await.ok(201);
    let market = Opened::from_body(opened.clone());
    assert_eq!(delete(&app, &market, &creator).await, 204);
    let again = post().await;
    assert_eq!((again.ok(201), again.header("Idempotency-Replayed")), (opened, "true"));
    app.get(&market.path).await.refused(404, "NOT_FOUND");
    assert_eq!(balance(&app, &creator).await, 100_000);
}
