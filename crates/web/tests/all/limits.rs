//! How many requests are served: by user, by address, and for each kind by itself.

use std::time::Duration;

use foretell_application::RequestLimits;
use foretell_ports::rate_limit::Budget;
use serde_json::json;

use crate::support::{PASSWORD, TestApp};

const fn budget(quota: u32) -> Budget {
    Budget { quota, window: Duration::from_mins(1) }
}

async fn app() -> TestApp {
    let (read, write, log_in) = (Some(budget(3)), Some(budget(2)), Some(budget(4)));
    TestApp::start_with_limits(RequestLimits { read, write, log_in }).await
}

#[actix_web::test]
async fn answers_say_what_is_left_and_then_when_to_come_back() {
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
async fn users_and_addresses_have_buckets_of_their_own() {
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
async fn a_made_up_token_is_counted_by_its_address() {
    let app = app().await;
    for number in 0..3 {
        let token = format!("Bearer made-up-{number}");
        app.get("/me").from("192.0.2.9").header("Authorization", &token).await.refused(401, "UNAUTHORIZED");
    }
    let again = app.get("/me").from("192.0.2.9").header("Authorization", "Bearer another");
    again.await.refused(429, "RATE_LIMITED");
    app.get("/markets").from("192.0.2.9").await.refused(429, "RATE_LIMITED");
}

#[actix_web::test]
async fn reading_writing_and_signing_in_are_counted_apart() {
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
async fn nothing_is_said_where_nothing_is_limited() {
    let app = TestApp::start().await;
    let reply = app.get("/markets").await;
    assert_eq!((reply.header("RateLimit"), reply.header("RateLimit-Policy")), ("", ""));
}
