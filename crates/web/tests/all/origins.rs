//! Tests of requests from pages of other sites.

use actix_web::http::Method;
use serde_json::json;

use crate::support::{PASSWORD, TestApp, TestUser};

const OWN: &str = "https://bets.example.org";
const ALLOWED: &str = "https://app.example.org";
const EVIL: &str = "https://evil.example.com";

async fn app() -> (TestApp, TestUser) {
    let app = TestApp::start_for_origins(&[ALLOWED]).await;
    let ada = app.user("ada").await;
    (app, ada)
}

#[actix_web::test]
async fn cross_site_change_with_cookie_is_rejected() {
    let (app, ada) = app().await;
    let change = |origin: &str| {
        let call =
            app.patch("/me").header("Host", "bets.example.org").json(&json!({ "name": "Zoe" }));
        if origin.is_empty() { call } else { call.header("Origin", origin) }
    };
    for origin in ["", OWN, ALLOWED] {
        change(origin).cookie(&ada.token).await.ok(200);
    }
    for origin in [EVIL, "null", "https://bets.example.org.evil.example.com"] {
        let refused = change(origin).cookie(&ada.token).await.refused(403, "FORBIDDEN");
        assert_eq!(
            refused["error"],
            "A page of another site may not do this with the session's cookie"
        );
        change(origin).by(&ada).await.ok(200);
    }
    let cross =
        app.delete("/sessions/current").cookie(&ada.token).header("Sec-Fetch-Site", "cross-site");
    cross.await.refused(403, "FORBIDDEN");
    let read = app.get("/me").cookie(&ada.token).header("Origin", EVIL).await;
    read.ok(200);
    assert_eq!(read.header("Access-Control-Allow-Origin"), "", "the page does not get to see it");
}

#[actix_web::test]
async fn allowed_origins_may_read_responses() {
    let (app, ada) = app().await;
    for reply in [
        app.get("/me").cookie(&ada.token).header("Origin", ALLOWED).await,
        app.get("/me").header("Origin", ALLOWED).await,
        app.get("/nothing").header("Origin", ALLOWED).await,
    ] {
        assert_eq!(reply.header("Access-Control-Allow-Origin"), ALLOWED, "{reply}");
        assert_eq!(reply.header("Access-Control-Allow-Credentials"), "true", "{reply}");
        let exposed = reply.header("Access-Control-Expose-Headers").to_ascii_lowercase();
        for name in ["etag", "location", "retry-after", "idempotency-replayed", "x-request-id"] {
            assert!(exposed.contains(name), "{name} is not in {exposed}");
        }
    }
}

#[actix_web::test]
async fn preflight_returns_allowed_methods_and_headers() {
    let (app, _) = app().await;
    let ask = |origin, method| {
        app.call(Method::OPTIONS, "/transfers")
            .header("Origin", origin)
            .header("Access-Control-Request-Method", method)
            .header("Access-Control-Request-Headers", "authorization,content-type,idempotency-key")
    };
    let reply = ask(ALLOWED, "POST").await;
    assert_eq!(reply.status.as_u16(), 200, "{reply}");
    assert_eq!(reply.header("Access-Control-Allow-Origin"), ALLOWED);
    assert_eq!(reply.header("Access-Control-Max-Age"), "3600");
    let reply = ask(EVIL, "POST").await;
    assert_eq!(reply.header("Access-Control-Allow-Origin"), "", "{reply}");
}

#[actix_web::test]
async fn unlisted_origins_are_not_allowed() {
    let app = TestApp::start().await;
    let reply = app.get("//livez").header("Origin", ALLOWED).await;
    assert_eq!(reply.header("Access-Control-Allow-Origin"), "");
    app.call(Method::OPTIONS, "/transfers")
        .header("Origin", ALLOWED)
        .await
        .refused(405, "METHOD_NOT_ALLOWED");
}

#[actix_web::test]
async fn responses_have_security_headers() {
    let app = TestApp::start().await;
    let body = json!({ "email": "nobody@example.com", "password": PASSWORD });
    for reply in [
        app.get("//livez").await,
        app.get("/nothing").await,
        app.post("/sessions").json(&body).await,
        app.get("/markets").await,
    ] {
        assert_eq!(reply.header("X-Content-Type-Options"), "nosniff", "{reply}");
        assert_eq!(
            reply.header("Content-Security-Policy"),
            "default-src 'none'; frame-ancestors 'none'"
        );
        assert_eq!(reply.header("Referrer-Policy"), "no-referrer");
        assert_eq!(reply.header("Strict-Transport-Security"), "max-age=31536000");
    }
}
