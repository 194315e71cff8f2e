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

on_each_database!(
    question_is_frozen_once_others_have_bet,
    edits_beside_bets_never_change_question,
    stakeholders_do_not_decide_alone,
    key_for_proposals_decides_nothing,
    wrong_resolution_is_undone_and_decided_again
);

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

fn winner(market: &Value, option: usize) -> Value {
    json!({ "optionId": market["options"][option]["id"], "evidence": {
        "text": "It rained.", "url": "https://example.org/rain",
    } })
}

/// A moderator bet on No in another user's market and resolved it to No 70 years early, and so did
/// creators in their own: both took the stakes of all others.
async fn stakeholders_do_not_decide_alone(database: Database) {
    let server = Server::start(database).await;
    let (eve, ben, admin) =
        (server.register("eve").await, server.register("ben").await, server.admin().await);
    let moderator = server.register("mod").await;
    let promotion = json!({ "role": "MODERATOR" });
    foretell_tests::send(
        admin.request(Method::PATCH, &format!("/users/{}", moderator.user_id)).json(&promotion),
    )
    .await
    .data(200);
    for attacker in [&eve, &moderator] {
        let market = eve.open_market(&["Yes", "No"], "10.00").await;
        let path = format!("/markets/{}", text(&market["id"]));
        let before = ben.balance().await;
        ben.bet(&market, 0, "100.00").await.data(201);
        attacker.bet(&market, 1, "10.00").await.data(201);
        let resolution = format!("{path}/resolution");
        let proposal = attacker.post(&resolution, winner(&market, 1)).await.data(202);
        assert_eq!(proposal["status"], "proposed");
        assert_eq!(proposal["evidence"]["text"], "It rained.");
        assert!(ben.get("/proposals").await.data(200).to_string().contains(&text(&market["id"])));
        attacker.post(&resolution, winner(&market, 1)).await.refused(409, "PROPOSAL_PENDING");
        // Selling first changes nothing: positions that are sold count. And trading has ended.
        attacker.sell(&market, 1, "all").await.refused(409, "MARKET_CLOSED");
        let reason = json!({ "reason": "It did rain, and it is about Yes." });
        ben.post(&format!("{path}/disputes"), reason.clone()).await.data(201);
        ben.post(&format!("{path}/disputes"), reason.clone()).await.refused(409, "DUPLICATE");
        admin.post(&format!("{path}/disputes"), reason).await.refused(403, "FORBIDDEN");
        admin.post(&resolution, winner(&market, 0)).await.data(200);
        assert!(ben.balance().await > before, "the admin has overruled");
        let rows = ben.get(&format!("{path}/resolutions")).await.data(200);
        let statuses: Vec<_> = rows.as_array().unwrap().iter().map(|row| &row["status"]).collect();
        assert_eq!(statuses, ["applied", "rejected"]);
        assert_eq!(rows[1]["disputes"][0]["reason"], "It did rain, and it is about Yes.");
    }
    admin.check_audit().await;
}

/// A program that watches the weather must not be able to decide.
async fn key_for_proposals_decides_nothing(database: Database) {
    let server = Server::start(database).await;
    let (eve, admin) = (server.register("eve").await, server.admin().await);
    let market = eve.open_market(&["Yes", "No"], "10.00").await;
    let path = format!("/markets/{}", text(&market["id"]));
    let key = text(&eve.create_api_key(&["resolve"]).await["secret"]);
    let mut bot = eve.clone();
    bot.token = Some(key);
    let proposal = bot.post(&format!("{path}/resolution"), winner(&market, 0)).await.data(202);
    assert_eq!(proposal["number"], 1);
    bot.post(&format!("{path}/resolution"), winner(&market, 0))
        .await
        .refused(409, "PROPOSAL_PENDING");
    bot.bet(&market, 0, "1.00").await.refused(403, "FORBIDDEN");
    assert_eq!(eve.get(&path).await.data(200)["status"], "closed");
    eve.delete(&format!("{path}/proposal")).await.expect(204);
    eve.post(&format!("{path}/reopening"), json!({})).await.data(200);
    eve.bet(&market, 0, "1.00").await.data(201);
    admin.check_audit().await;
}

/// An admin undoes a resolution: every holder is as before, and the market is decided again.
async fn wrong_resolution_is_undone_and_decided_again(database: Database) {
    let server = Server::start(database).await;
    let (eve, ben, cleo, admin) = (
        server.register("eve").await,
        server.register("ben").await,
        server.register("cleo").await,
        server.admin().await,
    );
    let market = eve.open_market(&["Yes", "No"], "10.00").await;
    let path = format!("/markets/{}", text(&market["id"]));
    ben.bet(&market, 0, "100.00").await.data(201);
    cleo.bet(&market, 1, "40.00").await.data(201);
    let balances = async || [ben.balance().await, cleo.balance().await, eve.balance().await];
    let before = balances().await;
    let why = json!({ "reason": "The wrong option." });
    let undo = format!("{path}/reversal");
    admin.post(&undo, why.clone()).await.refused(409, "CONFLICT");
    eve.post(&format!("{path}/resolution"), winner(&market, 1)).await.data(200);
    // The winner spends the payout before anybody notices.
    let spent = cleo.balance().await - 1;
    cleo.pay(&eve, &format!("{}.{:02}", spent / 100, spent % 100)).await.data(201);
    eve.post(&undo, why.clone()).await.refused(403, "FORBIDDEN");
    let key = foretell_tests::new_key();
    let undone = admin.post_once(&undo, &key, why.clone()).await.data(202);
    assert_eq!(undone["undo"]["reason"], "The wrong option.");
    assert!(admin.post_once(&undo, &key, why.clone()).await.is_replay());
    admin.post(&undo, why).await.refused(409, "CONFLICT");
    assert_eq!(balances().await[0], before[0]);
    assert_eq!(cleo.balance().await, 0, "she no longer had the money");
    let rows = admin.get("/ledger/debts").await.data(200);
    assert_eq!(rows.as_array().map(Vec::len), Some(1), "{rows:#}");
    let resolutions = ben.get(&format!("{path}/resolutions")).await.data(200);
    assert_eq!(resolutions[0]["undo"]["covered"], rows[0]["amount"]);
    admin.check_audit().await;
    eve.post(&format!("{path}/resolution"), winner(&market, 0)).await.data(200);
    assert!(ben.balance().await > before[0]);
    let burn = json!({ "accountId": ben.account_id, "amount": "1.00", "reason": "A correction" });
    let burned = admin.post("/burns", burn).await.data(201);
    assert_eq!(burned["kind"], "burn");
    admin.check_audit().await;
}
