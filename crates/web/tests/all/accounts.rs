//! Tests of accounts and their statements.

use foretell_domain::id::AccountId;
use serde_json::json;

use crate::support::{TestApp, TestUser};

async fn pay(app: &TestApp, from: &TestUser, to: &TestUser, amount: &str) {
    let body = json!({
        "fromAccountId": from.account_id.to_string(), "toAccountId": to.account_id.to_string(),
        "amount": amount,
    });
    app.post("/transfers").by(from).key(amount).json(&body).await.ok(201);
}

#[actix_web::test]
async fn only_owners_and_admins_see_an_account() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let (moderator, admin) = (app.moderator().await, app.admin().await);
    for path in [
        format!("/accounts/{}", ada.account_id),
        format!("/accounts/{}?at=2026-01-01T12:00:00Z", ada.account_id),
        format!("/accounts/{}/transfers", ada.account_id),
    ] {
        app.get(&path).by(&ada).await.ok(200);
        app.get(&path).by(&admin).await.ok(200);
        for other in [&bob, &moderator] {
            let body = app.get(&path).by(other).await.refused(404, "NOT_FOUND");
            assert_eq!(body["error"], format!("Account not found: {}", ada.account_id));
        }
        let missing =
            path.replace(&ada.account_id.to_string(), &AccountId::from_u128(7).to_string());
        app.get(&missing).by(&ada).await.refused(404, "NOT_FOUND");
    }
    let treasury = format!("/accounts/{}", AccountId::TREASURY);
    app.get(&treasury).by(&ada).await.refused(404, "NOT_FOUND");
    assert_eq!(app.get(&treasury).by(&admin).await.ok(200)["balance"], "-4000.00");
}

#[actix_web::test]
async fn own_accounts_are_listed_in_pages() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let reply = app.get("/accounts").by(&ada).await;
    let accounts = reply.ok(200);
    assert_eq!(accounts.as_array().unwrap().len(), 1);
    assert_eq!(accounts[0]["id"], ada.account_id.to_string());
    assert_eq!(reply.json()["meta"]["pagination"], json!({ "page": 1, "limit": 10, "total": 1 }));
    let reply = app.get("/accounts?page=2&limit=100").by(&ada).await;
    assert_eq!(reply.ok(200), json!([]));
    assert_eq!(reply.json()["meta"]["pagination"], json!({ "page": 2, "limit": 100, "total": 1 }));
}

#[actix_web::test]
async fn balances_are_known_for_any_time() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    app.clock.advance_seconds(60);
    pay(&app, &ada, &bob, "250.50").await;
    let check = async |at: &str, expected: &str| {
        let path = format!("/accounts/{}?at={at}", ada.account_id);
        let balance = app.get(&path).by(&ada).await.ok(200);
        assert_eq!(balance["balance"], expected, "{at}");
        assert_eq!(balance["id"], ada.account_id.to_string());
    };
    check("2026-01-01T11:59:59.999999Z", "0.00").await;
    check("2026-01-01T12:00:00Z", "1000.00").await;
    check("2026-01-01T12:00:59.999999Z", "1000.00").await;
    check("2026-01-01T12:01:00Z", "749.50").await;
    check("2026-01-01T13:01:00%2B01:00", "749.50").await;
    let path = format!("/accounts/{}?at=2999-01-01T00:00:00Z", ada.account_id);
    let refused = app.get(&path).by(&ada).await.refused(409, "CONFLICT");
    assert_eq!(refused["details"], json!({ "newestFinal": "2026-01-01T12:01:00Z" }));
    for at in ["", "yesterday", "2026-01-01"] {
        let path = format!("/accounts/{}?at={at}", ada.account_id);
        assert_eq!(app.get(&path).by(&ada).await.errors(), ["at: format"], "{at}");
    }
}

#[actix_web::test]
async fn statements_come_in_pages_newest_first() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    for amount in ["1.00", "2.00", "3.00"] {
        pay(&app, &ada, &bob, amount).await;
    }
    let path = format!("/accounts/{}/transfers", ada.account_id);
    let page = async |page: u32| {
        let reply = app.get(&format!("{path}?page={page}&limit=3")).by(&ada).await;
        assert_eq!(
            reply.json()["meta"]["pagination"],
            json!({ "page": page, "limit": 3, "total": 4 })
        );
        reply.ok(200)
    };
    let first = page(1).await;
    let amounts: Vec<_> =
        first.as_array().unwrap().iter().map(|row| row["amount"].as_str().unwrap()).collect();
    assert_eq!(amounts, ["3.00", "2.00", "1.00"]);
    assert_eq!((&first[0]["direction"], &first[0]["kind"]), (&json!("out"), &json!("payment")));
    assert_eq!(
        first[0]["from"],
        json!({ "accountId": ada.account_id.to_string(), "balance": "994.00" })
    );
    assert_eq!(first[0]["to"], json!({ "accountId": bob.account_id.to_string() }));
    let last = page(2).await;
    assert_eq!(last.as_array().unwrap().len(), 1);
    assert_eq!((&last[0]["direction"], &last[0]["kind"]), (&json!("in"), &json!("grant")));
    assert_eq!(last[0]["from"], json!({ "accountId": AccountId::TREASURY.to_string() }));
    assert_eq!(page(3).await, json!([]));
    let far = app.get(&format!("{path}?page=4294967295&limit=100")).by(&ada).await;
    assert_eq!(far.ok(200), json!([]));
}
