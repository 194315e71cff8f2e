//! Rejections of accounts, statements, mints and the audit.

use foretell_tests::{Database, on_each_database};
use serde_json::json;

use super::fixture::{Fixture, TREASURY, UNKNOWN, ask, post};

on_each_database!(accounts_are_visible_to_owners_only, mints_and_audits_require_admin);

async fn accounts_are_visible_to_owners_only(database: Database) {
    let fixture = Fixture::new(database).await;
    let (nobody, ada, ben) = (&fixture.nobody, &fixture.ada, &fixture.ben);
    let own = format!("/accounts/{}", ada.account_id);
    let mut cases = vec![
        ask(nobody, "GET /accounts").is(401, "UNAUTHORIZED"),
        ask(nobody, &format!("GET {own}")).is(401, "UNAUTHORIZED"),
        ask(nobody, &format!("GET {own}/transfers")).is(401, "UNAUTHORIZED"),
        // Validation errors are returned only after authentication.
        ask(nobody, "GET /accounts/nonsense?odd=1").is(401, "UNAUTHORIZED"),
        ask(ada, "GET /accounts?page=0&limit=101").has(&[("page", "range"), ("limit", "range")]),
        ask(ada, "GET /accounts?page=x&limit=-1").has(&[("page", "type"), ("limit", "type")]),
        ask(ada, "GET /accounts?page=1&page=2").has(&[("page", "repeated")]),
        ask(ada, "GET /accounts?owner=me").has(&[("owner", "unknown_field")]),
        ask(ada, "GET /accounts/nonsense").has(&[("id", "format")]),
        ask(ada, "GET /accounts/nonsense/transfers?limit=0")
            .has(&[("id", "format"), ("limit", "range")]),
        ask(ada, &format!("GET {own}?at=yesterday")).has(&[("at", "format")]),
        ask(ada, &format!("GET {own}?until=2030-01-01T00:00:00Z"))
            .has(&[("until", "unknown_field")]),
        ask(ada, &format!("GET {own}/transfers?page=0")).has(&[("page", "range")]),
    ];
    for hidden in [UNKNOWN, TREASURY, &ben.account_id, fixture.open["id"].as_str().unwrap()] {
        cases.push(ask(ada, &format!("GET /accounts/{hidden}")).is(404, "NOT_FOUND"));
        cases.push(
            ask(ada, &format!("GET /accounts/{hidden}?at=2030-01-01T00:00:00Z"))
                .is(404, "NOT_FOUND"),
        );
        cases.push(ask(ada, &format!("GET /accounts/{hidden}/transfers")).is(404, "NOT_FOUND"));
    }
    fixture.check(cases).await;
    let foreign = ada.get(&format!("/accounts/{}", ben.account_id)).await;
    assert_eq!(
        foreign.body["error"],
        format!("Account not found: {}", ben.account_id),
        "as if it did not exist"
    );
    fixture.admin.get(&format!("/accounts/{}", ben.account_id)).await.expect(200);
}

async fn mints_and_audits_require_admin(database: Database) {
    let fixture = Fixture::new(database).await;
    let (nobody, admin, ada) = (&fixture.nobody, &fixture.admin, &fixture.ada);
    let mint =
        |account: &str, amount: serde_json::Value| json!({"accountId": account, "amount": amount});
    fixture
        .check(vec![
            ask(nobody, "GET /ledger/audit").is(401, "UNAUTHORIZED"),
            ask(ada, "GET /ledger/audit").is(403, "FORBIDDEN"),
            ask(admin, "GET /ledger/audit?deep=1").has(&[("deep", "unknown_field")]),
            post(nobody, "/mints", mint(&ada.account_id, json!("1.00"))).is(401, "UNAUTHORIZED"),
            post(ada, "/mints", mint(&ada.account_id, json!("1.00"))).is(403, "FORBIDDEN"),
            post(ada, "/mints", json!({"odd": 1})).is(403, "FORBIDDEN"),
            post(admin, "/mints", json!({}))
                .has(&[("accountId", "required"), ("amount", "required")]),
            post(admin, "/mints", mint("me", json!(-1)))
                .has(&[("accountId", "format"), ("amount", "format")]),
            post(admin, "/mints", mint(UNKNOWN, json!("1.00"))).is(404, "NOT_FOUND"),
            post(admin, "/mints", mint(TREASURY, json!("1.00"))).is(404, "NOT_FOUND"),
            post(admin, "/mints", mint(fixture.open["id"].as_str().unwrap(), json!("1.00")))
                .is(404, "NOT_FOUND"),
            post(admin, "/mints", mint(&ada.account_id, json!("92233720368547758.07")))
                .is(409, "CIRCULATION_LIMIT"),
        ])
        .await;
}
