//! Tests of registration, sessions and the own profile.

use actix_web::http::Method;
use serde_json::json;

use crate::support::{PASSWORD, TestApp};

#[actix_web::test]
async fn new_user_has_account_with_grant() {
    let app = TestApp::start().await;
    let body = json!({
        "email": "Ada@Example.com", "name": "Ada", "password": PASSWORD,
        "avatar": "https://example.com/ada.png",
    });
    let reply = app.post("/users").json(&body).await;
    let user = reply.ok(201);
    let id = user["id"].as_str().unwrap();
    assert_eq!(reply.header("Location"), format!("/api/v1/users/{id}"));
    let expected = json!({
        "id": id,
        "name": "Ada",
        "avatar": "https://example.com/ada.png",
        "role": "USER",
        "createdAt": "2026-01-01T12:00:00Z",
        "updatedAt": "2026-01-01T12:00:00Z",
        "email": "ada@example.com",
        "status": "active",
        "account": { "id": user["account"]["id"], "balance": "1000.00" },
    });
    assert_eq!(user, expected);
    let taken = app.post("/users").json(&body).await.refused(409, "DUPLICATE");
    assert_eq!(taken["error"], "This email address is already registered");
}

#[actix_web::test]
async fn invalid_registration_gets_all_errors() {
    let app = TestApp::start().await;
    let check = async |body, expected: &[&str]| {
        assert_eq!(app.post("/users").json(&body).await.errors(), expected, "{body}");
    };
    check(json!({}), &["email: required", "name: required", "password: required"]).await;
    check(
        json!({ "email": null, "name": null, "password": null, "avatar": null }),
        &["email: required", "name: required", "password: required"],
    )
    .await;
    check(
        json!({
            "email": "nobody", "name": "", "password": "short", "avatar": "javascript:alert(1)",
            "role": "ADMIN",
        }),
        &[
            "avatar: format",
            "email: format",
            "name: length",
            "password: length",
            "role: unknown_field",
        ],
    )
    .await;
    check(
        json!({
            "email": 5, "name": ["Ada"], "password": "p".repeat(129), "avatar": {}, "a": 1,
            "b": { "c": 2 },
        }),
        &[
            "a: unknown_field",
            "avatar: type",
            "b: unknown_field",
            "email: type",
            "name: type",
            "password: length",
        ],
    )
    .await;
    let long = json!({
        "email": format!("{}@b", "a".repeat(300)), "name": "n".repeat(51), "password": PASSWORD,
    });
    check(long, &["email: length", "name: length"]).await;
    check(json!({ "email": "a@b.org", "name": " \t", "password": PASSWORD }), &["name: format"])
        .await;
}

#[actix_web::test]
async fn minimum_and_maximum_lengths_are_accepted() {
    let app = TestApp::start().await;
    for (index, (name, password)) in
        [("é".repeat(50), "p".repeat(8)), ("a".to_owned(), "é".repeat(128))].into_iter().enumerate()
    {
        let body = json!({
            "email": format!("user{index}@example.com"), "name": name, "password": password,
        });
        app.post("/users").json(&body).await.ok(201);
    }
}

#[actix_web::test]
async fn session_is_returned_as_token_and_cookie() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let body = json!({ "email": "ADA@example.com", "password": PASSWORD });
    let reply = app.post("/sessions").json(&body).await;
    let session = reply.ok(201);
    let (id, token) = (session["id"].as_str().unwrap(), session["token"].as_str().unwrap());
    assert_eq!(reply.header("Location"), format!("/api/v1/sessions/{id}"));
    assert_eq!(session["expiresAt"], "2026-01-02T12:00:00Z");
    assert_eq!(
        (&session["user"]["id"], &session["user"]["email"]),
        (&json!(ada.id.to_string()), &json!(ada.email))
    );
    let cookie = reply.header("Set-Cookie");
    let attributes: Vec<_> = cookie.split("; ").collect();
    assert_eq!(attributes[0], format!("__Host-foretell_session={token}"));
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Secure", "Max-Age=86400"] {
        assert!(attributes.contains(&attribute), "{attribute} in {cookie}");
    }
    for reply in [
        app.get("/me").header("Authorization", &format!("Bearer {token}")).await,
        app.get("/me").header("Authorization", &format!("bearer {token}")).await,
        app.get("/me").cookie(token).await,
    ] {
        assert_eq!(reply.ok(200)["id"], ada.id.to_string());
    }
}

#[actix_web::test]
async fn wrong_credentials_are_indistinguishable() {
    let app = TestApp::start().await;
    app.user("ada").await;
    let try_with = async |email, password| {
        let reply =
            app.post("/sessions").json(&json!({ "email": email, "password": password })).await;
        let mut body = reply.refused(401, "UNAUTHORIZED");
        body["requestId"].take();
        assert_eq!((reply.header("Set-Cookie"), reply.header("WWW-Authenticate")), ("", "Bearer"));
        body
    };
    let wrong = try_with("ada@example.com", "wrong password").await;
    assert_eq!(wrong, try_with("eve@example.com", PASSWORD).await);
    assert_eq!(wrong, try_with("ada@example.com", "").await);
    let reply = app.post("/sessions").json(&json!({ "email": "x" })).await;
    assert_eq!(reply.errors(), ["email: format", "password: required"]);
}

#[actix_web::test]
async fn authentication_precedes_validation() {
    let app = TestApp::start().await;
    let calls = [
        app.get("/me"),
        app.get("/me").header("Authorization", "Bearer unknown"),
        app.get("/me").header("Authorization", "Bearer test-token-unknown"),
        app.get("/me").header("Authorization", "Basic YWRhOmFkYQ=="),
        app.get("/me").header("Authorization", "Bearer"),
        app.get("/me").cookie("unknown"),
        app.get("/accounts?limit=0"),
        app.get("/accounts/1"),
        app.get("/transfers/1"),
        app.get("/accounts/1/transfers"),
        app.delete("/sessions/current"),
        app.post("/transfers").body("nonsense"),
        app.post("/transfers/batch").json(&json!({})),
        app.post("/transfers/1/reversal"),
        app.post("/mints").json(&json!({})),
        app.get("/ledger/audit"),
    ];
    for call in calls {
        let reply = call.await;
        reply.refused(401, "UNAUTHORIZED");
        assert_eq!(reply.header("WWW-Authenticate"), "Bearer", "{reply}");
    }
}

#[actix_web::test]
async fn cookie_does_not_replace_invalid_header() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    app.get("/me").cookie(&ada.token).await.ok(200);
    let reply = app.get("/me").cookie(&ada.token).header("Authorization", "Bearer unknown").await;
    reply.refused(401, "UNAUTHORIZED");
}

#[actix_web::test]
async fn session_expires() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    app.clock.advance_seconds(86_399);
    app.get("/me").by(&ada).await.ok(200);
    app.clock.advance_seconds(1);
    app.get("/me").by(&ada).await.refused(401, "UNAUTHORIZED");
}

#[actix_web::test]
async fn logging_out_ends_the_session_and_the_cookie() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let reply = app.delete("/sessions/current").by(&ada).await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (204, 0));
    let cookie = reply.header("Set-Cookie");
    assert!(
        cookie.starts_with("__Host-foretell_session=;") && cookie.contains("Max-Age=0"),
        "{cookie}"
    );
    app.get("/me").by(&ada).await.refused(401, "UNAUTHORIZED");
}

#[actix_web::test]
async fn another_session_is_ended_by_its_id() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let other = app
        .post("/sessions")
        .json(&json!({ "email": ada.email, "password": PASSWORD }))
        .await
        .ok(201);
    let path = format!("/sessions/{}", other["id"].as_str().unwrap());
    let body = app.delete(&path).by(&bob).await.refused(404, "NOT_FOUND");
    assert_eq!(body["error"], format!("Session not found: {}", other["id"].as_str().unwrap()));
    let reply = app.delete(&path).by(&ada).await;
    assert_eq!((reply.status.as_u16(), reply.header("Set-Cookie")), (204, ""));
    app.delete(&path).by(&ada).await.refused(404, "NOT_FOUND");
    app.get("/me").by(&ada).await.ok(200);
    app.get("/me").cookie(other["token"].as_str().unwrap()).await.refused(401, "UNAUTHORIZED");
    assert_eq!(app.delete("/sessions/other").by(&ada).await.errors(), ["id: format"]);
}

#[actix_web::test]
async fn own_profile_contains_accounts() {
    let app = TestApp::start().await;
    let ada = app.user("ada").await;
    let me = app.get("/me").by(&ada).await.ok(200);
    let account = json!({
        "id": ada.account_id.to_string(),
        "kind": "user",
        "status": "open",
        "ownerId": ada.id.to_string(),
        "balance": "1000.00",
        "currency": "PLAY",
        "version": 1,
        "createdAt": "2026-01-01T12:00:00Z",
    });
    let expected = json!({
        "id": ada.id.to_string(),
        "name": "ada",
        "avatar": null,
        "role": "USER",
        "createdAt": "2026-01-01T12:00:00Z",
        "updatedAt": "2026-01-01T12:00:00Z",
        "email": "ada@example.com",
        "status": "active",
        "accounts": [account],
    });
    assert_eq!(me, expected);
    let head = app.call(Method::HEAD, "/me").by(&ada).await;
    assert_eq!(head.status.as_u16(), 200);
}
