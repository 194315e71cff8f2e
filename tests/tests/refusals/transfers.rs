//! Rejections of transfers, batches of them and reversals.

use foretell_tests::{Client, Database, on_each_database, text};
use serde_json::{Value, json};

use super::fixture::{Fixture, TREASURY, UNKNOWN, ask, post};

on_each_database!(
    money_is_exact,
    invalid_transfers_are_rejected,
    atomic_batches_are_all_or_nothing,
    independent_batches_reject_items_separately,
    invalid_reversals_are_rejected,
);

fn payment(from: &Client, to: &str, amount: impl Into<Value>) -> Value {
    json!({"fromAccountId": from.account_id, "toAccountId": to, "amount": amount.into()})
}

fn with(mut body: Value, field: &str, value: impl Into<Value>) -> Value {
    body[field] = value.into();
    body
}

async fn money_is_exact(database: Database) {
    let fixture = Fixture::new(database).await;
    let (ada, ben) = (&fixture.ada, &fixture.ben.account_id);
    let amounts = [
        (json!(12.5), "type"),
        (json!(12.0), "type"),
        (json!(1e3), "type"),
        (json!(99_999_999_999_999_999_999_f64), "type"),
        (json!(true), "type"),
        (json!(["1.00"]), "type"),
        (json!({"minor": 100}), "type"),
        (json!(null), "required"),
        (json!(-1), "format"),
        (json!("-1.00"), "format"),
        (json!("+1.00"), "format"),
        (json!("1e3"), "format"),
        (json!("1,00"), "format"),
        (json!(" 1.00"), "format"),
        (json!("1."), "format"),
        (json!(".5"), "format"),
        (json!(""), "format"),
        (json!("\u{0661}.00"), "format"),
        (json!("12.505"), "format"),
        (json!("0.001"), "format"),
        (json!(0), "range"),
        (json!("0.00"), "range"),
        (json!("92233720368547758.08"), "range"),
        (json!(i64::MAX), "range"),
        (json!(u64::MAX), "range"),
        (json!("9".repeat(1_000)), "range"),
    ];
    let cases = amounts.map(|(amount, code)| {
        post(ada, "/transfers", payment(ada, ben, amount)).has(&[("amount", code)])
    });
    fixture.check(cases.into()).await;
}

async fn invalid_transfers_are_rejected(database: Database) {
    let fixture = Fixture::new(database).await;
    let (nobody, ada, ben) = (&fixture.nobody, &fixture.ada, &fixture.ben);
    let good = || payment(ada, &ben.account_id, "1.00");
    let mut again = payment(ben, &ada.account_id, "1.00");
    again["clientId"] = fixture.spent["clientId"].clone();
    let (spent, bet_transfer) = (text(&fixture.spent["id"]), text(&fixture.bet["transferId"]));
    fixture
        .check(vec![
            post(nobody, "/transfers", good()).is(401, "UNAUTHORIZED"),
            post(ada, "/transfers", json!({})).has(&[
                ("fromAccountId", "required"),
                ("toAccountId", "required"),
                ("amount", "required"),
            ]),
            post(ada, "/transfers", with(good(), "clientId", "mine"))
                .has(&[("clientId", "format")]),
            post(ada, "/transfers", with(good(), "fee", 1)).has(&[("fee", "unknown_field")]),
            post(ada, "/transfers", with(good(), "memo", "")).has(&[("memo", "length")]),
            post(ada, "/transfers", with(good(), "memo", "x".repeat(201)))
                .has(&[("memo", "length")]),
            post(ada, "/transfers", with(good(), "memo", " ")).has(&[("memo", "format")]),
            post(ada, "/transfers", with(good(), "memo", 1)).has(&[("memo", "type")]),
            post(ada, "/transfers", payment(ada, &ada.account_id, "1.00"))
                .has(&[("toAccountId", "invalid")]),
            post(ada, "/transfers", payment(ada, UNKNOWN, "1.00")).is(404, "NOT_FOUND"),
            post(ada, "/transfers", payment(ada, TREASURY, "1.00")).is(404, "NOT_FOUND"),
            post(ada, "/transfers", payment(ada, fixture.open["id"].as_str().unwrap(), "1.00"))
                .is(404, "NOT_FOUND"),
            post(ada, "/transfers", payment(ben, &ada.account_id, "1.00")).is(404, "NOT_FOUND"),
            post(&fixture.admin, "/transfers", payment(ben, &ada.account_id, "1.00"))
                .is(404, "NOT_FOUND"),
            post(
                ada,
                "/transfers",
                with(payment(ada, &ben.account_id, "1.00"), "fromAccountId", TREASURY),
            )
            .is(404, "NOT_FOUND"),
            post(&fixture.cleo, "/transfers", payment(&fixture.cleo, &ada.account_id, "0.01"))
                .says(409, "INSUFFICIENT_FUNDS", json!({"available": "0.00", "needed": "0.01"})),
            post(ben, "/transfers", again).is(409, "DUPLICATE"),
            ask(nobody, &format!("GET /transfers/{spent}")).is(401, "UNAUTHORIZED"),
            ask(ada, &format!("GET /transfers/{spent}")).is(404, "NOT_FOUND"),
            ask(ada, &format!("GET /transfers/{bet_transfer}")).is(404, "NOT_FOUND"),
            ask(ada, &format!("GET /transfers/{UNKNOWN}")).is(404, "NOT_FOUND"),
            ask(ada, "GET /transfers/nonsense").has(&[("id", "format")]),
            ask(ben, &format!("GET /transfers/{spent}?odd=1")).has(&[("odd", "unknown_field")]),
        ])
        .await;
}

fn batch(mode: &str, transfers: impl Into<Value>) -> Value {
    json!({"mode": mode, "transfers": transfers.into()})
}

/// Returns the status of each item, or the code of its error.
fn results(data: &Value) -> Vec<&str> {
    let items = data.as_array().unwrap().iter();
    items.map(|item| item["code"].as_str().or(item["status"].as_str()).unwrap()).collect()
}

async fn atomic_batches_are_all_or_nothing(database: Database) {
    let fixture = Fixture::new(database).await;
    let (nobody, ada, ben) = (&fixture.nobody, &fixture.ada, &fixture.ben);
    let good = || payment(ada, &ben.account_id, "1.00");
    let bad = payment(ada, &ben.account_id, 1.5);
    let many = vec![good(); 1_001];
    fixture
        .check(vec![
            post(nobody, "/transfers/batch", batch("atomic", vec![good()])).is(401, "UNAUTHORIZED"),
            post(ada, "/transfers/batch", json!({}))
                .has(&[("mode", "required"), ("transfers", "required")]),
            post(ada, "/transfers/batch", batch("maybe", vec![good()])).has(&[("mode", "invalid")]),
            post(ada, "/transfers/batch", batch("atomic", Vec::<Value>::new()))
                .has(&[("transfers", "length")]),
            post(ada, "/transfers/batch", batch("atomic", many)).has(&[("transfers", "length")]),
            post(ada, "/transfers/batch", batch("atomic", vec![good(), bad, json!({})])).has(&[
                ("transfers[1].amount", "type"),
                ("transfers[2].fromAccountId", "required"),
                ("transfers[2].toAccountId", "required"),
                ("transfers[2].amount", "required"),
            ]),
            post(ada, "/transfers/batch", batch("atomic", vec![json!({}), json!(7)]))
                .has(&[("transfers[1]", "type")]),
        ])
        .await;

    let refused = payment(ada, &ben.account_id, "100000.00");
    let answer = ada
        .post("/transfers/batch", batch("atomic", vec![good(), refused, good()]))
        .await
        .data(200);
    assert_eq!(results(&answer), ["BATCH_ABORTED", "INSUFFICIENT_FUNDS", "BATCH_ABORTED"]);
    fixture.check(Vec::new()).await;
}

async fn independent_batches_reject_items_separately(database: Database) {
    let fixture = Fixture::new(database).await;
    let (ada, ben) = (&fixture.ada, &fixture.ben);
    let (ada_had, ben_had) = (ada.balance().await, ben.balance().await);
    let id = foretell_tests::new_id();
    let items = vec![
        payment(ada, &ben.account_id, "1.00"),
        payment(ada, &ben.account_id, "100000.00"),
        payment(ben, &ada.account_id, "1.00"),
        with(payment(ada, &ben.account_id, "2.00"), "clientId", id.as_str()),
        with(payment(ada, &ben.account_id, "4.00"), "clientId", id.as_str()),
        payment(ada, UNKNOWN, "8.00"),
    ];
    let answer = ada.post("/transfers/batch", batch("independent", items)).await.data(200);
    let expected =
        ["completed", "INSUFFICIENT_FUNDS", "NOT_FOUND", "completed", "DUPLICATE", "NOT_FOUND"];
    assert_eq!(results(&answer), expected, "{answer:#}");
    assert_eq!((ada.balance().await, ben.balance().await), (ada_had - 300, ben_had + 300));
    fixture.admin.check_audit().await;
}

async fn invalid_reversals_are_rejected(database: Database) {
    let fixture = Fixture::new(database).await;
    let (nobody, admin, ada, ben) = (&fixture.nobody, &fixture.admin, &fixture.ada, &fixture.ben);
    let of = |id: &Value| format!("/transfers/{}/reversal", text(id));
    let (spent, reversed) = (of(&fixture.spent["id"]), of(&fixture.reversed["id"]));
    let rows = ben.all(&format!("/accounts/{}/transfers", ben.account_id)).await;
    let correction = rows.iter().find(|row| row["kind"] == "reversal").unwrap();
    let unknown = of(&json!(UNKNOWN));
    fixture
        .check(vec![
            post(nobody, &spent, json!({})).is(401, "UNAUTHORIZED"),
            post(ben, &spent, json!({})).is(403, "FORBIDDEN"),
            post(ada, &unknown, json!({})).is(403, "FORBIDDEN"),
            post(admin, &unknown, json!({})).is(404, "NOT_FOUND"),
            post(admin, "/transfers/nonsense/reversal", json!({})).has(&[("id", "format")]),
            post(admin, &spent, json!({"force": "yes", "why": 1}))
                .has(&[("force", "type"), ("why", "unknown_field")]),
            post(admin, &spent, json!({})).says(
                409,
                "INSUFFICIENT_FUNDS",
                json!({"available": "0.00", "needed": "100.00"}),
            ),
            post(admin, &reversed, json!({})).is(409, "NOT_REVERSIBLE"),
            post(admin, &reversed, json!({"force": true})).is(409, "NOT_REVERSIBLE"),
            post(admin, &of(&correction["id"]), json!({})).is(409, "NOT_REVERSIBLE"),
            post(admin, &of(&fixture.bet["transferId"]), json!({"force": true}))
                .is(409, "NOT_REVERSIBLE"),
        ])
        .await;

    let (ben_had, cleo_had) = (ben.balance().await, fixture.cleo.balance().await);
    admin.post(&spent, json!({"force": true})).await.expect(201);
    assert_eq!((ben.balance().await, fixture.cleo.balance().await), (ben_had + 10_000, cleo_had));
    admin.check_audit().await;
}
