//! Tests of password guessing: attempts are limited, and reveal nothing.

use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp};

const ELSEWHERE: &str = "198.51.100.7";

/// Signs in from an address; returns the status, the code and the time to wait.
async fn log_in(app: &TestApp, email: &str, password: &str, from: &str) -> (u16, Value, String) {
    let body = json!({ "email": email, "password": password });
    let reply = app.post("/sessions").from(from).json(&body).await;
    (reply.status.as_u16(), reply.json()["code"].take(), reply.header("Retry-After").to_owned())
}

fn wrong() -> (u16, Value, String) {
    (401, json!("UNAUTHORIZED"), String::new())
}

fn limited(seconds: &str) -> (u16, Value, String) {
    (429, json!("RATE_LIMITED"), seconds.to_owned())
}

#[actix_web::test]
async fn guesses_are_limited_for_any_email() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    for email in [&ada.email, "nobody@example.com"] {
        for _ in 0..10 {
            assert_eq!(log_in(&app, email, "wrong password", ELSEWHERE).await, wrong(), "{email}");
        }
        for password in ["wrong password", PASSWORD] {
            assert_eq!(log_in(&app, email, password, ELSEWHERE).await, limited("90"), "{email}");
        }
    }
    // In a network of her earlier sign-ins, guesses from elsewhere do not lock her out.
    let home = crate::support::ADDRESS;
    assert_eq!(log_in(&app, &ada.email, PASSWORD, home).await.0, 201);
    app.clock.advance_seconds(90);
    assert_eq!(
        log_in(&app, &ada.email, PASSWORD, ELSEWHERE).await.0,
        201,
        "and elsewhere not for ever"
    );
}

#[actix_web::test]
async fn guesses_are_limited_by_client_address() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    for number in 0..300 {
        let email = format!("user{}@example.com", number % 60);
        assert_eq!(log_in(&app, &email, PASSWORD, ELSEWHERE).await, wrong());
    }
    assert_eq!(log_in(&app, &ada.email, PASSWORD, ELSEWHERE).await, limited("3"));
    assert_eq!(log_in(&app, &ada.email, PASSWORD, "198.51.100.8").await.0, 201);
}

#[actix_web::test]
async fn correct_sign_ins_are_not_limited() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    for _ in 0..40 {
        assert_eq!(log_in(&app, &ada.email, PASSWORD, ELSEWHERE).await.0, 201);
    }
}

#[actix_web::test]
async fn clients_behind_trusted_proxy_are_distinguished() {
    let app = TestApp::start_behind(&["10.0.0.0/8"]).await;
    let guess = async |from: &str, forwarded: &str| {
        let body = json!({ "email": "nobody@example.com", "password": "wrong password" });
        let call = app.post("/sessions").from(from).header("X-Forwarded-For", forwarded);
        call.json(&body).await.status.as_u16()
    };
    let ada = app.user("ada").await;
    let signed_in = |from: &'static str, forwarded: &'static str| {
        let body = json!({ "email": ada.email, "password": PASSWORD });
        app.post("/sessions").from(from).header("X-Forwarded-For", forwarded).json(&body)
    };
    signed_in("10.1.1.1", "203.0.113.9").await.ok(201);
    for _ in 0..10 {
        guess("10.1.1.1", "203.0.113.66").await;
    }
    assert_eq!(guess("10.1.1.1", "203.0.113.66").await, 429);
    // Guesses at Ada's password from another client do not affect hers; a forged address is
    // ignored.
    let wrong = json!({ "email": ada.email, "password": "wrong password" });
    for _ in 0..10 {
        app.post("/sessions").from("198.51.100.7").json(&wrong).await.refused(401, "UNAUTHORIZED");
    }
    signed_in("198.51.100.7", "203.0.113.9").await.refused(429, "RATE_LIMITED");
    signed_in("10.1.1.1", "203.0.113.9, 10.2.2.2").await.ok(201);
}
