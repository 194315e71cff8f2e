//! Tests of operations for admins: mints, reversals and the audit.

use foretell_domain::id::{AccountId, TransferId};
use serde_json::{Value, json};

use crate::support::{TestApp, TestUser};

async fn pay(app: &TestApp, from: &TestUser, to: &TestUser, amount: &str) -> String {
    let body = json!({
        "fromAccountId": from.account_id.to_string(), "toAccountId": to.account_id.to_string(),
        "amount": amount,
    });
    let made = app.post("/transfers").by(from).key(amount).json(&body).await.ok(201);
    made["id"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn other_users_are_rejected_before_validation() {
    let app = TestApp::start().await;
    let (ada, moderator) = (app.user("ada").await, app.moderator().await);
    for user in [&ada, &moderator] {
        let mint = json!({ "accountId": ada.account_id.to_string(), "amount": 5 });
        for call in [
            app.post("/mints").key("k").json(&mint),
            app.post("/mints").body("nonsense"),
            app.post("/transfers/1/reversal").key("k"),
            app.get("/ledger/audit"),
        ] {
            let body = call.by(user).await.refused(403, "FORBIDDEN");
            assert_eq!(body["error"], "This is reserved to admins");
        }
    }
    assert_eq!(app.balance(&ada).await, "1000.00");
}

#[actix_web::test]
async fn a_mint_makes_new_money_once() {
    let app = TestApp::start().await;
    let (ada, admin) = (app.user("ada").await, app.admin().await);
    let mint = async |body: &Value| app.post("/mints").by(&admin).key("k").json(body).await;
    let body = json!({ "accountId": ada.account_id.to_string(), "amount": "5.25" });
    let reply = mint(&body).await;
    let made = reply.ok(201);
    assert_eq!((&made["kind"], &made["amount"]), (&json!("mint"), &json!("5.25")));
    assert_eq!(made["to"]["balance"], "1005.25");
    assert_eq!(made["from"]["accountId"], AccountId::TREASURY.to_string());
    assert!(reply.header("Location").starts_with("/api/v1/transfers/"));
    assert_eq!(mint(&body).await.header("Idempotency-Replayed"), "true");
    assert_eq!(app.balance(&ada).await, "1005.25");
    let reply = app.post("/mints").by(&admin).json(&json!({ "to": 1 })).await;
    assert_eq!(
        reply.errors(),
        [
            "Idempotency-Key: required",
            "accountId: required",
            "amount: required",
            "to: unknown_field"
        ]
    );
    for account in [AccountId::TREASURY, AccountId::FEES, AccountId::from_u128(7)] {
        let body = json!({ "accountId": account.to_string(), "amount": 1 });
        app.post("/mints")
            .by(&admin)
            .key(&account.to_string())
            .json(&body)
            .await
            .refused(404, "NOT_FOUND");
    }
}

#[actix_web::test]
async fn a_transfer_is_reversed_once() {
    let app = TestApp::start().await;
    let (ada, bob, admin) = (app.user("ada").await, app.user("bob").await, app.admin().await);
    let id = pay(&app, &ada, &bob, "100").await;
    let path = format!("/transfers/{id}/reversal");
    let reply = app.post(&path).by(&admin).key("r").await;
    let made = reply.ok(201);
    assert_eq!((&made["kind"], &made["reversalOf"]), (&json!("reversal"), &json!(id)));
    assert_eq!(
        (&made["from"]["balance"], &made["to"]["balance"]),
        (&json!("1000.00"), &json!("1000.00"))
    );
    let again = app.post(&path).by(&admin).key("r").await;
    assert_eq!((again.ok(201), again.header("Idempotency-Replayed")), (made.clone(), "true"));
    let second = app.post(&path).by(&admin).key("s").await.refused(409, "NOT_REVERSIBLE");
    assert_eq!(second["error"], format!("Transfer is already reversed: {id}"));
    let of_reversal = format!("/transfers/{}/reversal", made["id"].as_str().unwrap());
    app.post(&of_reversal).by(&admin).key("t").await.refused(409, "NOT_REVERSIBLE");
    let unknown = format!("/transfers/{}/reversal", TransferId::from_u128(7));
    app.post(&unknown).by(&admin).key("u").await.refused(404, "NOT_FOUND");
    assert_eq!(app.balance(&ada).await, "1000.00");
}

#[actix_web::test]
async fn spent_money_is_reversed_by_force_only() {
    let app = TestApp::start().await;
    let (ada, bob, admin) = (app.user("ada").await, app.user("bob").await, app.admin().await);
    let id = pay(&app, &ada, &bob, "500").await;
    pay(&app, &bob, &ada, "1200").await;
    let path = format!("/transfers/{id}/reversal");
    let refused = app.post(&path).by(&admin).key("r").json(&json!({ "force": false })).await;
    let details = refused.refused(409, "INSUFFICIENT_FUNDS")["details"].clone();
    assert_eq!(details, json!({ "available": "300.00", "needed": "500.00" }));
    app.post(&path).by(&admin).key("s").json(&json!({ "force": true })).await.ok(201);
    assert_eq!(
        (app.balance(&ada).await, app.balance(&bob).await),
        ("2200.00".into(), "0.00".into())
    );
    let audit = app.get("/ledger/audit").by(&admin).await.ok(200);
    assert_eq!(audit["isSound"], true);
}

#[actix_web::test]
async fn reversal_body_is_optional_but_validated() {
    let app = TestApp::start().await;
    let (ada, bob, admin) = (app.user("ada").await, app.user("bob").await, app.admin().await);
    let id = pay(&app, &ada, &bob, "1").await;
    let path = format!("/transfers/{id}/reversal");
    let reply = app
        .post("/transfers/x/reversal")
        .by(&admin)
        .json(&json!({ "force": "yes", "why": 1 }))
        .await;
    let errors = ["Idempotency-Key: required", "force: type", "id: format", "why: unknown_field"];
    assert_eq!(reply.errors(), errors);
    app.post(&path).by(&admin).key("k").body("{}").await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    app.post(&path).by(&admin).key("k").header("Content-Type", "application/json").await.ok(201);
}

#[actix_web::test]
async fn audit_returns_every_figure() {
    let app = TestApp::start().await;
    let (ada, bob, admin) = (app.user("ada").await, app.user("bob").await, app.admin().await);
    pay(&app, &ada, &bob, "1").await;
    let expected = json!({
        "isSound": true,
        "accounts": 5,
        "transfers": 4,
        "markets": 0,
        "bets": 0,
        "sumOfBalances": "0.00",
        "balanceDrift": 0,
        "lastRowDrift": 0,
        "brokenChains": 0,
        "belowFloor": 0,
        "uncoveredMarkets": 0,
        "marketDrift": 0,
        "betDrift": 0,
        "positionDrift": 0,
        "transferDrift": 0,
        "payoutDrift": 0,
        "unsettledRemainders": 0,
        "findings": [],
    });
    assert_eq!(app.get("/ledger/audit").by(&admin).await.ok(200), expected);
}

#[actix_web::test]
async fn mint_over_circulation_limit_is_rejected() {
    let app = TestApp::start().await;
    let (ada, admin) = (app.user("ada").await, app.admin().await);
    for amount in ["92233720368547758.07", "92233720368540000.00", "1000000000000000.00"] {
        let body = json!({ "accountId": ada.account_id.to_string(), "amount": amount });
        let reply = app.post("/mints").by(&admin).key(amount).json(&body).await;
        let error = &reply.refused(409, "CIRCULATION_LIMIT")["error"];
        assert_eq!(error, "The money in circulation would exceed its limit");
    }
    assert_eq!(app.balance(&ada).await, "1000.00");
    app.user("bob").await;
}
