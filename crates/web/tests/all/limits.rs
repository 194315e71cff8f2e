//! Tests of rate limits: by user, by address, and for each kind of request.

use std::time::Duration;

use foretell_application::RequestLimits;
use foretell_ports::rate_limit::Budget;
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp, TestUser};

const fn budget(quota: u32) -> Budget {
    Budget { quota, window: Duration::from_mins(1) }
}

async fn app() -> TestApp {
    let (read, write, log_in) = (Some(budget(3)), Some(budget(2)), Some(budget(4)));
    let limits = RequestLimits { read, write, log_in, ..RequestLimits::default() };
    TestApp::start_with_limits(limits).await
}

async fn app_with(limits: RequestLimits) -> TestApp {
    TestApp::start_with_limits(limits).await
}

#[actix_web::test]
async fn responses_report_remaining_requests_and_retry_time() {
    let app = app().await;
    for (left, full_in) in [(2, 20), (1, 40), (0, 60)] {
        let reply = app.get("/markets").from("192.0.2.9").await;
        assert_eq!(reply.header("RateLimit"), format!("\"read\";r={left};t={full_in}"));
        assert_eq!(reply.header("RateLimit-Policy"), "\"read\";q=3;w=60");
        reply.ok(200);
    }
    let reply = app.get("/markets").from("192.0.2.9").await;
    assert_eq!(reply.header("RateLimit"), "\"read\";r=0;t=60");
    assert_eq!(reply.header("Retry-After"), "20");
    reply.refused(429, "RATE_LIMITED");
    app.clock.advance_seconds(20);
    app.get("/markets").from("192.0.2.9").await.ok(200);
}

#[actix_web::test]
async fn users_and_addresses_have_separate_buckets() {
    let app = app().await;
    let (ada, ben) = (app.user("ada").await, app.user("ben").await);
    for _ in 0..3 {
        app.get("/me").by(&ada).await.ok(200);
    }
    app.get("/me").by(&ada).await.refused(429, "RATE_LIMITED");
    app.get("/me").by(&ada).from("198.51.100.7").await.refused(429, "RATE_LIMITED");
    app.get("/me").by(&ben).await.ok(200);
    app.get("/markets").await.ok(200);
    app.get("//livez").await.ok(200);
}

#[actix_web::test]
async fn invalid_token_is_counted_by_address() {
    let app = app().await;
    for number in 0..3 {
        let token = format!("Bearer made-up-{number}");
        app.get("/me")
            .from("192.0.2.9")
            .header("Authorization", &token)
            .await
            .refused(401, "UNAUTHORIZED");
    }
    let again = app.get("/me").from("192.0.2.9").header("Authorization", "Bearer another");
    again.await.refused(429, "RATE_LIMITED");
    app.get("/markets").from("192.0.2.9").await.refused(429, "RATE_LIMITED");
}

#[actix_web::test]
async fn kinds_of_requests_have_separate_buckets() {
    let app = app().await;
    let ada = app.user("ada").await;
    let write = || app.patch("/me").by(&ada).json(&json!({ "name": "Ada" }));
    write().await.ok(200);
    write().await.ok(200);
    write().await.refused(429, "RATE_LIMITED");
    app.get("/me").by(&ada).await.ok(200);
    for _ in 0..4 {
        let body = json!({ "email": ada.email, "password": PASSWORD });
        app.post("/sessions").json(&body).await.ok(201);
    }
    let body = json!({ "email": ada.email, "password": PASSWORD });
    app.post("/sessions").json(&body).await.refused(429, "RATE_LIMITED");
}

#[actix_web::test]
async fn unlimited_routes_have_no_limit_headers() {
    let app = TestApp::start().await;
    let reply = app.get("/markets").await;
    assert_eq!((reply.header("RateLimit"), reply.header("RateLimit-Policy")), ("", ""));
}

/// Returns a batch of so many payments of 0.01.
fn batch(from: &TestUser, to: &TestUser, count: usize) -> Value {
    let payment = json!({
        "fromAccountId": from.account_id, "toAccountId": to.account_id, "amount": "0.01"
    });
    json!({ "mode": "independent", "transfers": vec![payment; count] })
}

#[actix_web::test]
async fn batch_costs_its_number_of_transfers() {
    let app = app_with(RequestLimits { write: Some(budget(60)), ..RequestLimits::default() }).await;
    let (ada, ben) = (app.user("ada").await, app.user("ben").await);
    let post = async |key: &str, count| {
        app.post("/transfers/batch").by(&ada).key(key).json(&batch(&ada, &ben, count)).await
    };
    let reply = post("1", 40).await;
    assert_eq!(reply.header("RateLimit"), "\"write\";r=20;t=40");
    reply.ok(200);
    let reply = post("2", 30).await;
    // 1 is always counted; 30 are available after the 11 missing ones have refilled.
    assert_eq!(
        (reply.header("RateLimit"), reply.header("Retry-After")),
        ("\"write\";r=19;t=41", "11")
    );
    reply.refused(429, "RATE_LIMITED");
    assert_eq!(app.balance(&ben).await, "1000.40", "a rejected batch pays nothing");
    app.clock.advance_seconds(10);
    post("2", 30).await.refused(429, "RATE_LIMITED");
    app.clock.advance_seconds(2);
    assert_eq!(post("2", 30).await.header("RateLimit"), "\"write\";r=0;t=60");
    post("3", 1).await.refused(429, "RATE_LIMITED");
}

#[actix_web::test]
async fn batch_over_limit_takes_full_bucket() {
    let app = app_with(RequestLimits { write: Some(budget(60)), ..RequestLimits::default() }).await;
    let (ada, ben) = (app.user("ada").await, app.user("ben").await);
    let post = async |key: &str| {
        app.post("/transfers/batch").by(&ada).key(key).json(&batch(&ada, &ben, 70)).await
    };
    let reply = post("1").await;
    assert_eq!(reply.header("RateLimit"), "\"write\";r=0;t=60");
    reply.ok(200);
    app.clock.advance_seconds(30);
    let wait: i64 = post("2").await.header("Retry-After").parse().unwrap();
    app.clock.advance_seconds(wait);
    post("2").await.ok(200);
}

#[actix_web::test]
async fn invalid_tokens_are_limited_before_lookup() {
    let limits = RequestLimits {
        read: Some(budget(1_000)),
        invalid_tokens: Some(budget(5)),
        ..RequestLimits::default()
    };
    let app = app_with(limits).await;
    let ada = app.user("ada").await;
    app.get("/me").by(&ada).await.ok(200);
    let present = async |number: u32| {
        let token = format!("Bearer test-token-unknown-{number}");
        app.get("/me").header("Authorization", &token).await
    };
    for number in 0..5 {
        present(number).await.refused(401, "UNAUTHORIZED");
    }
    let refused = present(5).await;
    assert_eq!(refused.header("Retry-After"), "12");
    refused.refused(429, "RATE_LIMITED");
    present(0).await.refused(401, "UNAUTHORIZED");
    // Her session has left the cache, so it is looked up again.
    app.clock.advance_seconds(2);
    app.get("/me").by(&ada).await.ok(200);
    let again = app.signed_in_again(&ada).await;
    app.get("/me").by(&again).await.ok(200);
    let key = app.with_key(&ada, &["read"]).await;
    app.get("/me").by(&key).await.ok(200);
    present(6).await.refused(429, "RATE_LIMITED");
}

#[actix_web::test]
async fn ipv6_requests_are_limited_by_64_and_48_bits() {
    let app = app().await;
    let get = async |address: &str| app.get("/markets").from(address).await;
    for host in 1..=3 {
        get(&format!("2001:db8:1:1::{host}")).await.ok(200);
    }
    get("2001:db8:1:1:ffff::").await.refused(429, "RATE_LIMITED");
    // 16 networks with 3 requests each, one of which is used up.
    for net in 2..=16 {
        for _ in 0..3 {
            get(&format!("2001:db8:1:{net:x}::1")).await.ok(200);
        }
    }
    let reply = get("2001:db8:1:99::1").await;
    assert_eq!(reply.header("RateLimit").split(';').nth(1), Some("r=0"), "{reply}");
    reply.refused(429, "RATE_LIMITED");
    get("2001:db8:2::1").await.ok(200);
}
