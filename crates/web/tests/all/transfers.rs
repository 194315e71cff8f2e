//! Tests of payments, single and in batches.

use foretell_domain::id::AccountId;
use foretell_ports::unit::{Tx, UnitOfWork};
use serde_json::{Value, json};

use crate::support::{TestApp, TestUser};

fn payment(from: &TestUser, to: &TestUser, amount: impl Into<Value>) -> Value {
    json!({
        "fromAccountId": from.account_id.to_string(),
        "toAccountId": to.account_id.to_string(),
        "amount": amount.into(),
    })
}

#[actix_web::test]
async fn payment_returns_balance_of_payer() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let mut body = payment(&ada, &bob, "12.5");
    body["memo"] = "for lunch".into();
    let reply = app.post("/transfers").by(&ada).key("lunch").json(&body).await;
    let made = reply.ok(201);
    let id = made["id"].as_str().unwrap();
    assert_eq!(reply.header("Location"), format!("/api/v1/transfers/{id}"));
    assert_eq!(reply.header("Idempotency-Replayed"), "");
    let expected = json!({
        "id": id,
        "status": "completed",
        "kind": "payment",
        "amount": "12.50",
        "currency": "PLAY",
        "from": { "accountId": ada.account_id.to_string(), "balance": "987.50" },
        "to": { "accountId": bob.account_id.to_string() },
        "memo": "for lunch",
        "createdAt": "2026-01-01T12:00:00Z",
    });
    assert_eq!(made, expected);
    assert_eq!(
        (app.balance(&ada).await, app.balance(&bob).await),
        ("987.50".into(), "1012.50".into())
    );
}

#[actix_web::test]
async fn whole_numbers_are_major_units() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let reply = app.post("/transfers").by(&ada).key("k").json(&payment(&ada, &bob, 12)).await;
    assert_eq!(reply.ok(201)["amount"], "12.00");
}

#[actix_web::test]
async fn invalid_payment_gets_all_errors() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let post = async |body: &Value| app.post("/transfers").by(&ada).json(body).await.errors();
    assert_eq!(
        post(&json!({})).await,
        [
            "Idempotency-Key: required",
            "amount: required",
            "fromAccountId: required",
            "toAccountId: required"
        ]
    );
    let body = json!({
        "clientId": "x", "fromAccountId": 1, "toAccountId": "y", "amount": 12.5, "memo": "",
        "note": "odd",
    });
    assert_eq!(
        post(&body).await,
        [
            "Idempotency-Key: required",
            "amount: type",
            "clientId: format",
            "fromAccountId: type",
            "memo: length",
            "note: unknown_field",
            "toAccountId: format",
        ]
    );
    let to_self = app.post("/transfers").by(&ada).key("k").json(&payment(&ada, &ada, "0")).await;
    assert_eq!(to_self.errors(), ["amount: range", "toAccountId: invalid"]);
    for (amount, code) in [
        (json!("1.234"), "format"),
        (json!("-1"), "format"),
        (json!("+1"), "format"),
        (json!("1e3"), "format"),
        (json!(" 1"), "format"),
        (json!(""), "format"),
        (json!(-1), "format"),
        (json!("0.00"), "range"),
        (json!(0), "range"),
        (json!("92233720368547758.08"), "range"),
        (json!(u64::MAX), "range"),
        (json!(1.0), "type"),
        (json!(1e30), "type"),
        (json!(true), "type"),
        (json!(["1"]), "type"),
        (Value::Null, "required"),
    ] {
        let reply = app
            .post("/transfers")
            .by(&ada)
            .key("k")
            .json(&payment(&ada, &bob, amount.clone()))
            .await;
        assert_eq!(reply.errors(), [format!("amount: {code}")], "{amount}");
    }
    assert_eq!(app.balance(&ada).await, "1000.00");
}

#[actix_web::test]
async fn payment_requires_account_owner() {
    let app = TestApp::start().await;
    let (ada, bob, admin) = (app.user("ada").await, app.user("bob").await, app.admin().await);
    for thief in [&bob, &admin] {
        let reply =
            app.post("/transfers").by(thief).key("k").json(&payment(&ada, thief, "1")).await;
        let body = reply.refused(404, "NOT_FOUND");
        assert_eq!(body["error"], format!("Account not found: {}", ada.account_id));
    }
    for (from, to) in [(AccountId::TREASURY, bob.account_id), (bob.account_id, AccountId::FEES)] {
        let body = json!({
            "fromAccountId": from.to_string(), "toAccountId": to.to_string(), "amount": 1,
        });
        app.post("/transfers")
            .by(&bob)
            .key(&to.to_string())
            .json(&body)
            .await
            .refused(404, "NOT_FOUND");
    }
    assert_eq!(app.balance(&ada).await, "1000.00");
}

#[actix_web::test]
async fn key_has_one_effect() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let pay = async |key: &str, amount: Value| {
        app.post("/transfers").by(&ada).key(key).json(&payment(&ada, &bob, amount)).await
    };
    let first = pay("k", "10".into()).await;
    // The same amount in another form is the same request.
    for amount in [json!("10"), json!("10.00"), json!(10)] {
        let again = pay("k", amount).await;
        assert_eq!((again.status, &again.body), (first.status, &first.body));
        assert_eq!(again.header("Idempotency-Replayed"), "true");
        assert_eq!(again.header("Location"), first.header("Location"));
    }
    pay("k", "11".into()).await.refused(422, "IDEMPOTENCY_MISMATCH");
    assert_eq!(app.balance(&ada).await, "990.00");
    // Another user's key with the same name is another key.
    app.post("/transfers").by(&bob).key("k").json(&payment(&bob, &ada, "1")).await.ok(201);
    for key in ["", "a b", &"k".repeat(256)] {
        let reply = app.post("/transfers").by(&ada).key(key).json(&payment(&ada, &bob, "1")).await;
        assert!(reply.errors()[0].starts_with("Idempotency-Key: "), "{key}");
    }
}

#[actix_web::test]
async fn rejections_are_replayed_for_their_key() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let pay =
        async || app.post("/transfers").by(&ada).key("k").json(&payment(&ada, &bob, "1500")).await;
    let refused = pay().await;
    let body = refused.refused(409, "INSUFFICIENT_FUNDS");
    assert_eq!(body["details"], json!({ "available": "1000.00", "needed": "1500.00" }));
    assert_eq!(refused.header("Idempotency-Replayed"), "");
    app.post("/transfers").by(&bob).key("k").json(&payment(&bob, &ada, "900")).await.ok(201);
    let again = pay().await;
    assert_eq!(again.refused(409, "INSUFFICIENT_FUNDS")["details"], body["details"]);
    assert_eq!(again.header("Idempotency-Replayed"), "true");
    assert_eq!(app.balance(&ada).await, "1900.00");
}

#[actix_web::test]
async fn client_id_of_payment_is_private() {
    let app = TestApp::start().await;
    let (ada, bob, eve) = (app.user("ada").await, app.user("bob").await, app.user("eve").await);
    let admin = app.admin().await;
    let chosen = "0190163d-8694-739b-aea5-966c26f8ad91";
    let path = format!("/transfers/{chosen}");
    let body = app.get(&path).by(&ada).await.refused(404, "NOT_FOUND");
    assert_eq!(body["error"], format!("Transfer not found: {chosen}"));
    let named = |from: &TestUser, to: &TestUser| {
        let mut payment = payment(from, to, "1");
        payment["clientId"] = chosen.into();
        payment
    };
    let made = app.post("/transfers").by(&ada).key("k").json(&named(&ada, &bob)).await.ok(201);
    assert_eq!(made["clientId"], chosen);
    assert_ne!(made["id"], chosen, "others would tell whether it is taken");
    app.post("/transfers")
        .by(&ada)
        .key("other")
        .json(&named(&ada, &eve))
        .await
        .refused(409, "DUPLICATE");
    assert_eq!(app.get(&path).by(&ada).await.ok(200), made);
    for other in [&bob, &eve, &admin] {
        app.get(&path).by(other).await.refused(404, "NOT_FOUND");
    }
    // By its global id, each side sees its own balance, and the payer the client id.
    let by_id = format!("/transfers/{}", made["id"].as_str().unwrap());
    let seen = async |user: &TestUser| {
        let transfer = app.get(&by_id).by(user).await.ok(200);
        [&transfer["from"]["balance"], &transfer["to"]["balance"], &transfer["clientId"]]
            .map(Clone::clone)
    };
    assert_eq!(seen(&ada).await, [json!("999.00"), Value::Null, json!(chosen)]);
    assert_eq!(seen(&bob).await, [Value::Null, json!("1001.00"), Value::Null]);
    assert_eq!(seen(&admin).await, [json!("999.00"), json!("1001.00"), json!(chosen)]);
    app.get(&by_id).by(&eve).await.refused(404, "NOT_FOUND");
    // Another user may use it too, and finds their own transfer by it.
    let others = app.post("/transfers").by(&bob).key("k").json(&named(&bob, &ada)).await.ok(201);
    assert_eq!(app.get(&path).by(&bob).await.ok(200)["id"], others["id"]);
    assert_eq!(app.get(&path).by(&ada).await.ok(200)["id"], made["id"]);
    // Another user's account reveals nothing about its client ids.
    app.post("/transfers")
        .by(&eve)
        .key("k")
        .json(&named(&ada, &eve))
        .await
        .refused(404, "NOT_FOUND");
}

fn batch(mode: &str, transfers: &[Value]) -> Value {
    json!({ "mode": mode, "transfers": transfers })
}

#[actix_web::test]
async fn independent_batch_returns_each_result() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let body = batch(
        "independent",
        &[
            payment(&ada, &bob, "600"),
            payment(&ada, &bob, "600"),
            payment(&bob, &ada, "1"),
            payment(&ada, &bob, 400),
        ],
    );
    let post = async || app.post("/transfers/batch").by(&ada).key("k").json(&body).await;
    let reply = post().await;
    let items = reply.ok(200);
    let codes: Vec<_> = items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["status"].as_str(), item["code"].as_str()))
        .collect();
    let completed = (Some("completed"), None);
    let refused = |code| (Some("refused"), Some(code));
    assert_eq!(codes, [completed, refused("INSUFFICIENT_FUNDS"), refused("NOT_FOUND"), completed]);
    assert_eq!(items[0]["transfer"]["from"]["balance"], "400.00");
    assert_eq!(items[0]["transfer"]["to"].get("balance"), None);
    assert_eq!(items[1]["error"], "Insufficient funds");
    assert_eq!(items[1]["details"], json!({ "available": "400.00", "needed": "600.00" }));
    assert_eq!(items[3]["transfer"]["from"]["balance"], "0.00");
    let again = post().await;
    assert_eq!((again.ok(200), again.header("Idempotency-Replayed")), (items, "true"));
}

#[actix_web::test]
async fn an_atomic_batch_is_all_or_nothing() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let post = async |key, amounts: [&str; 2]| {
        let body = batch("atomic", &amounts.map(|amount| payment(&ada, &bob, amount)));
        app.post("/transfers/batch").by(&ada).key(key).json(&body).await.ok(200)
    };
    let items = post("a", ["600", "600"]).await;
    assert_eq!(
        (&items[0]["code"], &items[1]["code"]),
        (&json!("BATCH_ABORTED"), &json!("INSUFFICIENT_FUNDS"))
    );
    assert_eq!(app.balance(&ada).await, "1000.00");
    let items = post("b", ["600", "400"]).await;
    assert_eq!(
        (&items[0]["status"], &items[1]["status"]),
        (&json!("completed"), &json!("completed"))
    );
    assert_eq!(app.balance(&bob).await, "2000.00");
}

#[actix_web::test]
async fn invalid_batch_gets_all_errors_with_paths() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let post = async |body: &Value| {
        app.post("/transfers/batch").by(&ada).key("k").json(body).await.errors()
    };
    assert_eq!(post(&json!({})).await, ["mode: required", "transfers: required"]);
    assert_eq!(post(&batch("some", &[])).await, ["mode: invalid", "transfers: length"]);
    let transfers = [
        payment(&ada, &bob, 1),
        payment(&ada, &bob, 1.5),
        payment(&ada, &ada, "x"),
        json!({ "fee": 1 }),
    ];
    assert_eq!(
        post(&batch("atomic", &transfers)).await,
        [
            "transfers[1].amount: type",
            "transfers[2].amount: format",
            "transfers[2].toAccountId: invalid",
            "transfers[3].amount: required",
            "transfers[3].fee: unknown_field",
            "transfers[3].fromAccountId: required",
            "transfers[3].toAccountId: required",
        ]
    );
    // serde stops at the first item that is not an object, and at a value that is not a list.
    let fields = json!([ada.account_id.to_string(), bob.account_id.to_string(), "1"]);
    for item in [json!(7), fields] {
        let transfers = [json!({ "fee": 1 }), item];
        assert_eq!(post(&batch("some", &transfers)).await, ["transfers[1]: type"]);
    }
    assert_eq!(post(&json!({ "mode": 1, "transfers": {} })).await, ["transfers: type"]);
    assert_eq!(app.balance(&ada).await, "1000.00");
}

#[actix_web::test]
async fn a_batch_has_at_most_a_thousand_payments() {
    let app = TestApp::start_with_bodies_of(1024 * 1024).await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let post = async |count| {
        let transfers = vec![payment(&ada, &bob, "0.01"); count];
        app.post("/transfers/batch").by(&ada).key("k").json(&batch("atomic", &transfers)).await
    };
    assert_eq!(post(1_001).await.errors(), ["transfers: length"]);
    let items = post(1_000).await.ok(200);
    assert_eq!(items.as_array().unwrap().len(), 1_000);
    assert_eq!(app.balance(&ada).await, "990.00");
}

#[actix_web::test]
async fn closed_accounts_reject_payments() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let id = bob.account_id;
    let close = move |tx: &mut dyn Tx| {
        let mut accounts = tx.lock_accounts(&[id].into())?;
        *accounts[0] = accounts[0].close();
        tx.save_accounts(&[&accounts[0]])
    };
    let units: &dyn UnitOfWork = &app.store;
    units.run("close", close).await.unwrap();
    let reply = app.post("/transfers").by(&ada).key("k").json(&payment(&ada, &bob, 1)).await;
    assert_eq!(reply.refused(409, "ACCOUNT_CLOSED")["error"], format!("Account is closed: {id}"));
    let reply = app.post("/transfers").by(&bob).key("k").json(&payment(&bob, &ada, 1)).await;
    reply.refused(409, "ACCOUNT_CLOSED");
}
