//! Tests of the form of error responses.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, ServiceConfig};
use serde_json::json;

use crate::support::{PASSWORD, TestApp};

/// Adds routes for errors that no real route causes.
fn odd_routes(config: &mut ServiceConfig) {
    config
        .route("/panic", web::get().to(|| async { panics() }))
        .route(
            "/error",
            web::get().to(|| async { Err::<&str, _>(actix_web::error::ErrorImATeapot("secret")) }),
        )
        .route("/bare/{status}", web::get().to(bare));
}

fn panics() -> HttpResponse {
    panic!("secret")
}

async fn bare(status: web::Path<u16>) -> HttpResponse {
    HttpResponse::new(StatusCode::from_u16(*status).unwrap())
}

#[actix_web::test]
async fn unknown_route_gets_error_envelope() {
    let app = TestApp::start().await;
    for path in ["/nothing", "//", "//api/v1", "//api/v3/users", "//livez/", "/users/"] {
        let body = app.get(path).await.refused(404, "NOT_FOUND");
        assert_eq!(body["error"], "Route not found");
    }
}

#[actix_web::test]
async fn wrong_method_gets_allowed_methods() {
    let app = TestApp::start().await;
    for (method, path, allow) in [
        (Method::PUT, "//livez", "GET, HEAD"),
        (Method::GET, "/me/password", "POST"),
        (Method::PUT, "/users/1", "GET, HEAD, PATCH, DELETE"),
        (Method::GET, "/transfers/batch", "POST"),
        (Method::POST, "/sessions/current", "DELETE"),
        (Method::DELETE, "/accounts", "GET, HEAD"),
        (Method::from_bytes(b"BREW").unwrap(), "/me", "GET, HEAD, PATCH"),
    ] {
        let reply = app.call(method, path).await;
        reply.refused(405, "METHOD_NOT_ALLOWED");
        assert_eq!(reply.header("Allow"), allow, "{reply}");
    }
}

#[actix_web::test]
async fn body_must_be_plain_json() {
    let app = TestApp::start().await;
    let call = || app.post("/sessions").body("{}");
    call().await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    for content_type in
        ["text/plain", "application/jsonp", "application/json; charset=latin1", "application/xml"]
    {
        call().header("Content-Type", content_type).await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    let compressed =
        call().header("Content-Type", "application/json").header("Content-Encoding", "gzip");
    compressed.await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    for content_type in [
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/json;charset=\"utf-8\"",
    ] {
        call().header("Content-Type", content_type).await.refused(400, "VALIDATION_ERROR");
    }
}

#[actix_web::test]
async fn too_large_body_is_rejected() {
    let app = TestApp::start().await;
    let post = |bytes: usize| app.post("/sessions").json(&json!({ "email": "a".repeat(bytes) }));
    post(20_000).await.refused(413, "PAYLOAD_TOO_LARGE");
    assert_eq!(post(16_000).await.errors(), ["email: length", "password: required"]);
}

#[actix_web::test]
async fn malformed_json_differs_from_invalid_json() {
    let app = TestApp::start().await;
    for body in
        ["", "{", "{\"email\":}", "nonsense", "{} {}", "{\"email\":\"a\",\"email\":\"b\"}", "\u{0}"]
    {
        let reply =
            app.post("/sessions").header("Content-Type", "application/json").body(body).await;
        reply.refused(400, "MALFORMED_JSON");
    }
    let deep = format!("{{\"email\":{}{}}}", "[".repeat(1_000), "]".repeat(1_000));
    let reply = app.post("/sessions").header("Content-Type", "application/json").body(deep).await;
    reply.refused(400, "MALFORMED_JSON");
    for body in ["[]", "5", "null", "[\"ada@example.com\", \"correct horse\"]"] {
        let reply =
            app.post("/sessions").header("Content-Type", "application/json").body(body).await;
        assert_eq!(reply.errors(), [": type"], "{body}");
    }
    let reply = app
        .post("/sessions")
        .header("Content-Type", "application/json")
        .body(b"{\"email\":\"\xff\"}");
    reply.await.refused(400, "MALFORMED_JSON");
}

#[actix_web::test]
async fn ids_in_paths_must_be_ids() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    for path in ["/accounts/1", "/accounts/x/transfers", "/transfers/%00", "/transfers/%ff"] {
        assert_eq!(app.get(path).by(&ada).await.errors(), ["id: format"], "{path}");
    }
    app.get("/accounts/1").await.refused(401, "UNAUTHORIZED");
}

#[actix_web::test]
async fn panic_is_answered_without_details() {
    let app = TestApp::start_with(odd_routes).await;
    let reply = app.get("//panic").header("X-Request-Id", "panicking").await;
    let body = reply.refused(500, "INTERNAL_ERROR");
    assert_eq!(body["error"], "Internal server error");
    assert_eq!(reply.header("X-Request-Id"), "panicking");
    assert!(!reply.to_string().contains("secret"), "{reply}");
    app.get("//livez").await.ok(200);
}

#[actix_web::test]
async fn errors_of_other_layers_get_envelope() {
    let app = TestApp::start_with(odd_routes).await;
    let reply = app.get("//error").await;
    reply.refused(418, "BAD_REQUEST");
    assert!(!reply.to_string().contains("secret"), "{reply}");
    for (status, code) in [
        (401, "UNAUTHORIZED"),
        (403, "FORBIDDEN"),
        (404, "NOT_FOUND"),
        (409, "CONFLICT"),
        (412, "PRECONDITION_FAILED"),
        (429, "RATE_LIMITED"),
        (500, "INTERNAL_ERROR"),
        (502, "INTERNAL_ERROR"),
        (503, "UNAVAILABLE"),
    ] {
        let reply = app.get(&format!("//bare/{status}")).await;
        reply.refused(status, code);
        assert_eq!(reply.header("Retry-After"), if status == 503 { "1" } else { "" });
    }
}

#[actix_web::test]
async fn problem_json_is_returned_on_request() {
    let app = TestApp::start_with(odd_routes).await;
    let problem = "application/json;q=0.9, application/problem+json";
    let reply = app.post("/sessions").json(&json!({})).header("Accept", problem).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("Content-Type")),
        (400, "application/problem+json")
    );
    let body = reply.json();
    assert_eq!(body["type"], "urn:foretell:problem:VALIDATION_ERROR");
    assert_eq!((&body["status"], &body["code"]), (&json!(400), &json!("VALIDATION_ERROR")));
    assert_eq!(body["detail"], "Validation failed");
    assert_eq!(body["requestId"], reply.header("X-Request-Id"));
    assert_eq!(body["errors"].as_array().unwrap().len(), 2, "{reply}");
    assert!(body["title"].is_string() && body.get("success").is_none(), "{reply}");
    for path in ["/nothing", "//panic", "//bare/503", "/me"] {
        let reply = app.get(path).header("Accept", "application/problem+json").await;
        assert_eq!(reply.header("Content-Type"), "application/problem+json", "{reply}");
        assert_eq!(reply.json()["status"], reply.status.as_u16(), "{reply}");
    }
    let reply = app.get("//livez").header("Accept", "application/problem+json").await;
    assert_eq!(reply.header("Content-Type"), "application/json");
}

#[actix_web::test]
async fn plain_request_id_is_kept() {
    let app = TestApp::start().await;
    let longest = "a".repeat(64);
    for id in ["a", "A-z_09", &longest] {
        assert_eq!(app.get("//livez").header("X-Request-Id", id).await.header("X-Request-Id"), id);
        assert_eq!(app.get("/nothing").header("X-Request-Id", id).await.header("X-Request-Id"), id);
    }
    let too_long = "a".repeat(65);
    for id in ["", "a b", "a\"b", "ä", &too_long] {
        let reply = app.get("//livez").header("X-Request-Id", id).await;
        let made = reply.header("X-Request-Id");
        assert!(made != id && (1..=64).contains(&made.len()), "{made:?} for {id:?}");
        assert!(
            made.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)),
            "{made}"
        );
    }
    let ids = [app.get("//livez").await, app.get("//livez").await];
    assert_ne!(ids[0].header("X-Request-Id"), ids[1].header("X-Request-Id"));
}

#[actix_web::test]
async fn unavailable_store_is_server_error() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    app.store.take_down();
    for call in [
        app.get("/me").by(&ada),
        app.get("//readyz"),
        app.post("/sessions").json(&json!({ "email": ada.email, "password": PASSWORD })),
    ] {
        let reply = call.await;
        reply.refused(503, "UNAVAILABLE");
        assert_eq!(reply.header("Retry-After"), "1", "{reply}");
        assert!(!reply.to_string().contains("by a test"), "{reply}");
    }
    let details = app.get("//readyz").await.json();
    let [down, up] =
        ["database", "writer"].map(|check| &details["details"]["checks"][check]["status"]);
    assert_eq!((down, up), (&json!("down"), &json!("ok")), "{details}");
    app.get("//livez").await.ok(200);
    app.store.bring_up();
    assert_eq!(app.get("//readyz").await.ok(200)["checks"]["database"]["status"], "ok");
}

#[actix_web::test]
async fn private_responses_are_not_cacheable() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    for reply in [
        app.get("/me").by(&ada).await,
        app.post("/sessions").json(&json!({ "email": ada.email, "password": PASSWORD })).await,
        app.get("/accounts/1").by(&ada).await,
    ] {
        assert_eq!(reply.header("Cache-Control"), "no-store", "{reply}");
        assert_eq!(reply.header("X-Content-Type-Options"), "nosniff", "{reply}");
    }
    assert_eq!(app.get("//livez").await.header("Cache-Control"), "");
}

#[actix_web::test]
async fn unknown_parameters_are_rejected_everywhere() {
    let app = TestApp::start().await;
    let (ada, admin) = (app.user("ada").await, app.admin().await);
    for path in ["/me", "/accounts", "/ledger/audit"] {
        let reply = app.get(&format!("{path}?odd=1&more=")).by(&admin).await;
        assert_eq!(reply.errors(), ["more: unknown_field", "odd: unknown_field"], "{path}");
    }
    let reply = app.post("/transfers?dryRun=true").by(&ada).key("k").json(&json!({})).await;
    let missing = [
        "amount: required",
        "dryRun: unknown_field",
        "fromAccountId: required",
        "toAccountId: required",
    ];
    assert_eq!(reply.errors(), missing);
    let reply = app.get("/accounts?page=0&limit=101&page=2").by(&ada).await;
    assert_eq!(reply.errors(), ["limit: range", "page: repeated"]);
    let reply = app.get("/accounts?page=one&limit=99999999999&x=1").by(&ada).await;
    assert_eq!(reply.errors(), ["limit: type", "page: type", "x: unknown_field"]);
}
