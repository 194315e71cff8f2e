//! Sends the examples of the document to the real routes.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp, TestUser, contract};

/// Resources for the ids in examples and paths.
struct World {
    app: TestApp,
    grace: TestUser,
    admin: TestUser,
    other: TestUser,
    /// User to be deleted.
    leaving: TestUser,
}

impl World {
    async fn start() -> Self {
        let app = TestApp::start_with_bodies_of(1 << 20).await;
        let (grace, admin, other) =
            (app.user("grace").await, app.admin().await, app.user("ada").await);
        let leaving = app.user("leaving").await;
        Self { app, grace, admin, other, leaving }
    }

    /// Creates a resource of Grace's: returns its id, and that of one of its parts.
    async fn made(&self, path: &str, body: &Value) -> (String, String) {
        let key = format!("{path}{body}").replace(' ', "");
        let made = self.app.post(path).by(&self.grace).key(&key).json(body).await.ok(201);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&made["id"]), text(&made["options"][0]["id"]))
    }

    /// Returns the id for a path, and that of an option if it is a market's.
    async fn id_for(&self, path: &str) -> (String, String) {
        let post = json!({ "title": path, "content": path });
        if path.starts_with("/markets/") {
            let market = json!({
                "name": path, "description": "Whether it does.", "category": "politics",
                "subsidy": 50,
                "endDate": "2099-01-31T12:00:00Z", "options": [{ "name": "Yes" }, { "name": "No" }],
            });
            let (id, option) = self.made("/markets", &market).await;
            let bet = json!({ "optionId": option, "amount": 5 });
            if path.ends_with("/sales") || path.ends_with("/disputes") {
                self.made(&format!("/markets/{id}/bets"), &bet).await;
            }
            if path.ends_with("/disputes") || path.ends_with("/reversal") {
                let (path, winner) =
                    (format!("/markets/{id}/resolution"), json!({ "optionId": option }));
                let reply = self.app.post(&path).by(&self.grace).key(&id).json(&winner).await;
                assert!(reply.status.is_success(), "{reply}");
            }
            return (id, option);
        }
        let id = match path {
            "/users/{id}" => self.other.id.to_string(),
            "/posts/{id}" | "/posts/{id}/comments" => self.made("/posts", &post).await.0,
            "/comments/{id}" => {
                let (id, _) = self.made("/posts", &post).await;
                self.made(&format!("/posts/{id}/comments"), &json!({ "content": "x" })).await.0
            }
            "/webhooks/{id}" => {
                let webhook =
                    json!({ "url": "https://example.org/hook", "events": ["market.status"] });
                let made = self.app.post("/webhooks").by(&self.admin).json(&webhook).await.ok(201);
                made["id"].as_str().unwrap_or_default().to_owned()
            }
            "/transfers/{id}/reversal" => {
                let (from, to) = (self.grace.account_id, self.other.account_id);
                let payment = json!({
                    "fromAccountId": from.to_string(), "toAccountId": to.to_string(), "amount": 1,
                });
                self.made("/transfers", &payment).await.0
            }
            _ => String::new(),
        };
        (id, String::new())
    }
}

#[actix_web::test]
async fn every_example_is_accepted() {
    let world = World::start().await;
    let mut tried = 0;
    for (method, path, told) in contract::operations() {
        let Some(body) = told["requestBody"]["content"]["application/json"].get("schema") else {
            continue;
        };
        let Some(below) = path.strip_prefix("/api/v1") else { continue };
        let Some(example) = example_of(body) else { continue };
        let caller = match (method, below) {
            // A new password ends the session used for the others.
            (_, "/me/password") => &world.app.signed_in_again(&world.other).await,
            ("delete", "/users/{id}") => &world.leaving,
            _ => &world.grace,
        };
        let needs = told["security"][0]["bearer"][0].as_str();
        let is_for_admins = needs.is_some_and(|needs| needs.starts_with("admin"));
        let caller = if is_for_admins { &world.admin } else { caller };
        let (id, option) = match (method, below) {
            ("delete", "/users/{id}") => (world.leaving.id.to_string(), String::new()),
            _ => world.id_for(below).await,
        };
        let text = example
            .to_string()
            .replace("019a0000-0000-7000-8000-000000000001", &world.grace.account_id.to_string())
            .replace("019a0000-0000-7000-8000-000000000002", &world.other.account_id.to_string())
            .replace("019a0000-0000-7000-8000-000000000003", &option)
            .replace("correct horse", PASSWORD);
        let text = if below == "/users" { text.replace("grace@", "hopper@") } else { text };
        let method: Method = method.to_uppercase().parse().unwrap();
        let call = world.app.call(method, &below.replace("{id}", &id)).by(caller).key(below);
        let reply = call.header("Content-Type", "application/json").body(text.clone()).await;
        assert!(reply.status.is_success(), "{text} to {reply}");
        tried += 1;
    }
    assert!(tried > 15, "{tried} examples");
}

fn example_of(schema: &'static Value) -> Option<&'static Value> {
    let whole = contract::resolved(schema);
    let mut ways = whole["oneOf"].as_array().into_iter().flatten();
    whole.get("example").or_else(|| ways.find_map(|way| contract::resolved(way).get("example")))
}
