//! Tests that clients cannot set fields owned by the server.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, TestUser};

/// Fields of responses, and of the tables behind them, that no client may set.
const OWNED: [&str; 24] = [
    "version",
    "createdAt",
    "updatedAt",
    "created_at_us",
    "userId",
    "authorId",
    "creatorId",
    "ownerId",
    "accountId ",
    "balance",
    "pot",
    "volume",
    "stakes",
    "betCount",
    "sequence",
    "price",
    "prices",
    "phase",
    "fee",
    "feeBps",
    "passwordHash",
    "tokenHash",
    "erasedAt",
    "__proto__",
];

/// Fields that some bodies have, and the paths of those.
const ELSEWHERE: [(&str, &[&str]); 3] = [
    ("id", &["/transfers", "/bets", "/sales"]),
    ("role", &["/users/"]),
    ("status", &["/users/", "/webhooks/"]),
];

struct Fixture {
    app: TestApp,
    ada: TestUser,
    admin: TestUser,
    market: String,
    post: String,
    comment: String,
    webhook: String,
}

impl Fixture {
    async fn open() -> Self {
        let app = TestApp::start().await;
        let (ada, admin) = (app.user("ada").await, app.admin().await);
        let id = |value: Value| value["id"].as_str().unwrap().to_owned();
        let market = json!({
            "name": "Will it rain?", "description": "As measured at noon.", "category": "sports",
            "endDate": "2026-01-02T00:00:00Z", "options": [{ "name": "Yes" }, { "name": "No" }],
            "subsidy": "10",
        });
        let market = id(app.post("/markets").by(&ada).key("m").json(&market).await.ok(201));
        let post = json!({ "title": "On rain", "content": "It may.", "published": true });
        let post = id(app.post("/posts").by(&ada).json(&post).await.ok(201));
        let path = format!("/posts/{post}/comments");
        let comment = id(app.post(&path).by(&ada).json(&json!({ "content": "So?" })).await.ok(201));
        let webhook = json!({ "url": "https://example.org/hook", "events": ["market.status"] });
        let webhook = id(app.post("/webhooks").by(&admin).json(&webhook).await.ok(201));
        Self { app, ada, admin, market, post, comment, webhook }
    }

    /// Returns every route with a body.
    fn routes(&self) -> Vec<(Method, String)> {
        let Self { ada, market, post, comment, webhook, .. } = self;
        let of_market =
            ["quotes", "bets", "sales", "close", "resolution", "cancellation", "comments"];
        let mut posted = [
            "/users",
            "/sessions",
            "/api-keys",
            "/me/password",
            "/transfers",
            "/mints",
            "/markets",
            "/posts",
            "/webhooks",
        ]
        .map(str::to_owned)
        .to_vec();
        posted.extend(of_market.map(|part| format!("/markets/{market}/{part}")));
        posted.push(format!("/posts/{post}/comments"));
        let patched = [
            "/me".to_owned(),
            format!("/users/{}", ada.id),
            format!("/markets/{market}"),
            format!("/posts/{post}"),
            format!("/comments/{comment}"),
            format!("/webhooks/{webhook}"),
        ];
        let posted = posted.into_iter().map(|path| (Method::POST, path));
        let deleted = (Method::DELETE, format!("/users/{}", ada.id));
        posted
            .chain(patched.into_iter().map(|path| (Method::PATCH, path)))
            .chain([deleted])
            .collect()
    }

    /// Returns everything that those requests could have changed.
    async fn seen(&self) -> Vec<Value> {
        let mut seen = Vec::new();
        for path in [
            "/me".to_owned(),
            "/users".to_owned(),
            "/api-keys".to_owned(),
            "/posts".to_owned(),
            "/webhooks".to_owned(),
            format!("/users/{}", self.ada.id),
            format!("/markets/{}", self.market),
            format!("/markets/{}/comments", self.market),
            format!("/posts/{}", self.post),
            format!("/comments/{}", self.comment),
            format!("/accounts/{}/transfers", self.ada.account_id),
        ] {
            seen.push(self.app.get(&path).by(&self.admin).await.ok(200));
        }
        seen
    }
}

#[actix_web::test]
async fn server_fields_are_rejected_in_every_body() {
    let fixture = Fixture::open().await;
    let before = fixture.seen().await;
    for (method, path) in fixture.routes() {
        let elsewhere =
            ELSEWHERE.iter().filter(|(_, paths)| !paths.iter().any(|part| path.contains(part)));
        for field in OWNED.into_iter().chain(elsewhere.map(|(field, _)| *field)) {
            let call = fixture.app.call(method.clone(), &path).by(&fixture.admin).key("k");
            let errors = call.json(&json!({ field: "1" })).await.errors();
            assert!(
                errors.contains(&format!("{field}: unknown_field")),
                "{method} {path} {field}: {errors:?}"
            );
        }
    }
    assert_eq!(fixture.seen().await, before);
}
