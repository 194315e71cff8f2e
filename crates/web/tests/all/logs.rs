//! Tests of log lines about requests.

use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};

use actix_web::HttpResponse;
use actix_web::web;

use crate::support::{PASSWORD, TestApp};

/// Everything logged since the first of these tests began, by any test: subscribers of single
/// threads would take lines from each other.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Lines;

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn start_logging() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        let log = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_ansi(false);
        tracing::subscriber::set_global_default(log.with_writer(|| Lines).finish()).unwrap();
    });
}

fn lines_with(text: &str) -> Vec<String> {
    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let log = String::from_utf8(log).unwrap();
    log.lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
}

fn panics() -> HttpResponse {
    panic!("the cause")
}

#[actix_web::test]
async fn server_error_is_logged_once_with_cause() {
    start_logging();
    let app = TestApp::start_with(|config| {
        config.route("/panic", web::get().to(|| async { panics() }));
    })
    .await;
    let ada = app.user("ada").await;
    app.get("//panic").header("X-Request-Id", "id-of-panic").await.refused(500, "INTERNAL_ERROR");
    app.store.take_down();
    app.get("/me")
        .by(&ada)
        .header("X-Request-Id", "id-of-outage")
        .await
        .refused(503, "UNAVAILABLE");
    for (id, causes) in [
        ("id-of-panic", &["a handler panicked: the cause", "INTERNAL_ERROR", "status=500"][..]),
        (
            "id-of-outage",
            &["storage is not available", "taken down by a test", "route=\"/api/v1/me\""],
        ),
    ] {
        let lines = lines_with(id);
        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert!(lines[0].contains("ERROR"), "{lines:#?}");
        assert!(causes.iter().all(|cause| lines[0].contains(cause)), "{lines:#?}");
    }
}

#[actix_web::test]
async fn secrets_are_not_logged() {
    start_logging();
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let body = serde_json::json!({ "email": ada.email, "password": PASSWORD });
    let token =
        app.post("/sessions").json(&body).await.ok(201)["token"].as_str().unwrap().to_owned();
    app.get("/me").cookie(&token).header("X-Request-Id", "id-of-cookie").await.ok(200);
    assert!(!lines_with("id-of-cookie").is_empty());
    let astray = format!("/api-keys/{token}/odd");
    app.get(&astray).header("X-Request-Id", "id-of-astray").await.refused(404, "NOT_FOUND");
    let line = lines_with("id-of-astray").concat();
    assert!(line.contains("route=\"/api/v1/api-keys/*/odd\""), "{line}");
    for secret in [token.as_str(), PASSWORD, &ada.email] {
        assert_eq!(lines_with(secret), [""; 0]);
    }
}

#[actix_web::test]
async fn request_line_has_user_and_no_secrets() {
    start_logging();
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    app.get("/me").by(&ada).header("X-Request-Id", "id-of-me").await.ok(200);
    app.post("/posts")
        .header("X-Request-Id", "id-of-nobody")
        .json(&serde_json::json!({}))
        .await
        .refused(401, "UNAUTHORIZED");
    let line = |id: &str| -> String {
        let lines = lines_with(id);
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        assert!(line.contains("foretell_request") && line.contains("elapsed_us="), "{line}");
        line.clone()
    };
    let answered = line("id-of-me");
    for part in
        ["method=\"GET\"", "route=\"/api/v1/me\"", "status=200", &format!("user_id={}", ada.id)]
    {
        assert!(answered.contains(part), "{part}: {answered}");
    }
    assert!(!answered.contains(&ada.token), "{answered}");
    let refused = line("id-of-nobody");
    assert!(refused.contains("code=\"UNAUTHORIZED\"") && !refused.contains("user_id"), "{refused}");
}
