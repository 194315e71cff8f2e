//! Tests that any Unicode text in any field is accepted or rejected, and accepted text can be
//! listed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use foretell_tests::{
    Answer, Chance, Client, Database, PASSWORD, Server, market, new_key, on_each_database, send,
    size, text,
};
use reqwest::Method;
use serde_json::{Value, json};

on_each_database!(any_text_is_accepted_or_rejected, unwritable_times_are_rejected);

/// Characters that often break servers: controls, joiners, marks, directions, expanding cases,
/// look-alikes.
const HOSTILE: &[char] = &[
    '\0',
    '\t',
    '\n',
    '\r',
    ' ',
    '"',
    '\'',
    '\\',
    '<',
    '>',
    '&',
    '%',
    '@',
    '.',
    '-',
    '/',
    ':',
    '#',
    '{',
    '|',
    '*',
    '\u{7F}',
    '\u{85}',
    '\u{A0}',
    '\u{AD}',
    'ß',
    'é',
    'İ',
    'ı',
    'ſ',
    'ς',
    'а',
    'е',
    '\u{301}',
    '\u{307}',
    '\u{34F}',
    '\u{5D0}',
    '\u{61C}',
    '\u{645}',
    '\u{94D}',
    '\u{958}',
    '\u{1100}',
    '\u{1161}',
    '\u{3164}',
    '\u{180E}',
    '\u{200B}',
    '\u{200C}',
    '\u{200D}',
    '\u{200E}',
    '\u{2028}',
    '\u{2029}',
    '\u{202E}',
    '\u{2066}',
    '\u{20E3}',
    '\u{2800}',
    '\u{3000}',
    '\u{3002}',
    '東',
    '가',
    '\u{E000}',
    '\u{FB01}',
    '\u{FDFA}',
    '\u{FE0F}',
    '\u{FEFF}',
    '\u{FF20}',
    '\u{FFFD}',
    '\u{FFFE}',
    '\u{1D15E}',
    '\u{1F1E9}',
    '\u{1F469}',
    '\u{1F680}',
    '\u{2F800}',
    '\u{E0041}',
    '\u{E0100}',
    '\u{10FFFF}',
];

/// Returns a pseudo-random text: hostile, usual and any other characters.
fn any_text(chance: &mut Chance) -> String {
    let longest = [3, 12, 60, 300][chance.below(4)];
    let length = chance.below(longest) + 1;
    let mut one = || match chance.below(4) {
        0 => HOSTILE[chance.below(HOSTILE.len())],
        1 => char::from_u32(u32::try_from(chance.below(0x11_0000)).unwrap()).unwrap_or('\u{FFFD}'),
        _ => char::from(b'a' + u8::try_from(chance.below(26)).unwrap()),
    };
    (0..length).map(|_| one()).collect()
}

/// Users and resources that texts are sent to.
struct Fixture {
    nobody: Client,
    admin: Client,
    market: Value,
    post: String,
}

impl Fixture {
    async fn new(server: &Server) -> Self {
        let admin = server.admin().await;
        let mint = json!({"accountId": admin.account_id, "amount": "1000000.00"});
        admin.post("/mints", mint).await.expect(201);
        let market = admin.open_market(&["Yes", "No"], "10.00").await;
        let post = admin
            .post("/posts", json!({"title": "A post", "content": "It says.", "published": true}));
        let post = text(&post.await.data(201)["id"]);
        Self { nobody: server.client(), admin, market, post }
    }

    async fn change(&self, path: &str, body: Value) -> Answer {
        send(self.admin.request(Method::PATCH, path).json(&body)).await
    }

    async fn ask(&self, path: &str, parameter: &str, value: &str) -> Answer {
        send(self.admin.request(Method::GET, path).query(&[(parameter, value), ("limit", "5")]))
            .await
    }

    async fn open(&self, field: &str, value: Value) -> Answer {
        let mut body = market(&["Yes", "No"], "10.00");
        body[field] = value;
        self.admin.post("/markets", body).await
    }

    /// Sends a text to one of the fields of the API.
    async fn send(&self, field: usize, value: &str) -> (&'static str, Answer) {
        match field {
            0..=8 => self.send_to_user(field, value).await,
            9..=13 => self.send_to_post(field, value).await,
            14..=20 => self.send_to_market(field, value).await,
            21..=24 => self.send_to_settings(field, value).await,
            _ => self.send_as_query(field, value).await,
        }
    }

    /// Sends a text to fields of users and sessions.
    async fn send_to_user(&self, field: usize, value: &str) -> (&'static str, Answer) {
        let email = format!("{}@example.org", new_key());
        let user = json!({"email": email, "name": "A user", "password": "correct horse"});
        let user = |name: &str, value: String| {
            let mut user = user.clone();
            user[name] = json!(value);
            self.nobody.post("/users", user)
        };
        match field {
            0 => ("name of a user", user("name", value.to_owned()).await),
            1 => ("email", user("email", value.to_owned()).await),
            2 => ("local part of an email", user("email", format!("{value}@example.org")).await),
            3 => ("domain of an email", user("email", format!("a@{value}.org")).await),
            4 => ("password", user("password", value.to_owned()).await),
            5 => ("avatar", user("avatar", format!("https://example.org/{value}")).await),
            6 => ("host of an avatar", user("avatar", format!("https://{value}")).await),
            7 => ("own name", self.change("/me", json!({"name": value})).await),
            _ => {
                let body = json!({"email": value, "password": value});
                ("credentials", self.nobody.post("/sessions", body).await)
            }
        }
    }

    /// Sends a text to fields of posts and comments.
    async fn send_to_post(&self, field: usize, value: &str) -> (&'static str, Answer) {
        let post = |title: &str, content: &str, tags: Value| {
            let body = json!({"title": title, "content": content, "published": true, "tags": tags});
            self.admin.post("/posts", body)
        };
        match field {
            9 => ("title", post(value, "x", json!([])).await),
            10 => ("content", post("x", value, json!([])).await),
            11 => ("tag", post("x", "x", json!([value, "x"])).await),
            12 => {
                let path = format!("/posts/{}", self.post);
                ("changed post", self.change(&path, json!({"title": value})).await)
            }
            _ => ("comment", self.admin.post(&self.comments(), json!({"content": value})).await),
        }
    }

    /// Sends a text to fields of markets.
    async fn send_to_market(&self, field: usize, value: &str) -> (&'static str, Answer) {
        match field {
            14 => ("name of a market", self.open("name", json!(value)).await),
            15 => ("description", self.open("description", json!(value)).await),
            16 => {
                ("option", self.open("options", json!([{"name": value}, {"name": "Other"}])).await)
            }
            17 => ("category", self.open("category", json!(value)).await),
            18 => ("end date", self.open("endDate", json!(value)).await),
            19 => ("subsidy", self.open("subsidy", json!(value)).await),
            _ => {
                let path = format!("/markets/{}", text(&self.market["id"]));
                ("changed market", self.change(&path, json!({"name": value})).await)
            }
        }
    }

    /// Sends a text to fields of API keys, webhooks and transfers.
    async fn send_to_settings(&self, field: usize, value: &str) -> (&'static str, Answer) {
        match field {
            21 => {
                let body = json!({"name": value, "scopes": ["read"], "password": PASSWORD});
                ("name of a key", self.make_and_delete("/api-keys", body).await)
            }
            22 => {
                let body = json!({"url": format!("https://{value}/"), "events": ["market.trade"]});
                ("URL of a webhook", self.make_and_delete("/webhooks", body).await)
            }
            23 => {
                let url = format!("https://example.org/{value}");
                let body = json!({"url": url, "events": ["market.trade"]});
                ("path of a webhook", self.make_and_delete("/webhooks", body).await)
            }
            _ => {
                let (from, to) = (&self.admin.account_id, &self.market["id"]);
                let body = json!({
                    "fromAccountId": from, "toAccountId": to, "amount": "0.01", "memo": value,
                });
                ("memo", self.admin.post("/transfers", body).await)
            }
        }
    }

    /// Sends a text to query parameters, and to a changed comment.
    async fn send_as_query(&self, field: usize, value: &str) -> (&'static str, Answer) {
        match field {
            25 => ("search of markets", self.ask("/markets/search", "q", value).await),
            26 => ("search of posts", self.ask("/posts/search", "q", value).await),
            27 => ("filter by tag", self.ask("/posts", "tag", value).await),
            28 => ("filter by category", self.ask("/markets", "category", value).await),
            29 => ("cursor", self.ask("/api/v2/markets", "cursor", value).await),
            30 => {
                let path = format!("/accounts/{}", self.admin.account_id);
                ("moment", self.ask(&path, "at", value).await)
            }
            31 => ("fields", self.ask("/markets", "fields", value).await),
            32 => ("kind of jobs", self.ask("/admin/jobs", "kind", value).await),
            _ => ("changed comment", self.change_comment(value).await),
        }
    }

    fn comments(&self) -> String {
        format!("/markets/{}/comments", text(&self.market["id"]))
    }

    /// Creates a key or webhook and deletes it, since their number is limited.
    async fn make_and_delete(&self, path: &str, body: Value) -> Answer {
        let made = self.admin.post(path, body).await;
        if made.status == 201 {
            let id = text(&made.body["data"]["id"]);
            self.admin.get(path).await.expect(200);
            self.admin.delete(&format!("{path}/{id}")).await.expect(204);
        }
        made
    }

    async fn change_comment(&self, value: &str) -> Answer {
        let made = self.admin.post(&self.comments(), json!({"content": "x"})).await.data(201);
        self.change(&format!("/comments/{}", text(&made["id"])), json!({"content": value})).await
    }

    /// Reads the newest rows of every list with these texts, in both versions.
    async fn read_lists(&self) {
        let market = text(&self.market["id"]);
        for base in ["/api/v1", "/api/v2"] {
            for path in [
                "/users".to_owned(),
                "/posts".to_owned(),
                "/posts?fields=id&expand=author".to_owned(),
                "/tags".to_owned(),
                "/markets".to_owned(),
                "/markets?fields=id".to_owned(),
                "/markets?sort=closing".to_owned(),
                "/markets/search?q=x".to_owned(),
                "/posts/search?q=x".to_owned(),
                format!("/markets/{market}/comments"),
                format!("/accounts/{}/transfers", self.admin.account_id),
                "/admin/jobs".to_owned(),
                "/me".to_owned(),
            ] {
                let separator = if path.contains('?') { '&' } else { '?' };
                let limit =
                    if path == "/me" { String::new() } else { format!("{separator}limit=100") };
                self.admin.get(&format!("{base}{path}{limit}")).await.expect(200);
            }
        }
    }
}

/// Number of fields in [`Scene::send`].
const FIELDS: usize = 34;

async fn any_text_is_accepted_or_rejected(database: Database) {
    let server = Server::start_with(
        database,
        &[
            ("FORETELL__AUTH__LOGIN_ATTEMPTS_PER_ADDRESS", "1000000"),
            ("FORETELL__AUTH__LOGIN_ATTEMPTS_PER_ACCOUNT", "1000000"),
        ],
    )
    .await;
    let fixture = Fixture::new(&server).await;
    let mut chance = Chance::new(20);
    let (mut accepted, mut rejected) = (0, 0);
    for number in 0..size("FORETELL_TEST_HOSTILE_TEXTS", 340, 20_000) {
        let value = any_text(&mut chance);
        let (field, answer) = fixture.send(number % FIELDS, &value).await;
        match answer.status {
            200 | 201 => accepted += 1,
            400 | 401 | 404 | 409 | 422 => rejected += 1,
            status => panic!("{field} of {value:?} gave {status}: {:#}", answer.body),
        }
        if number % 500 == 0 {
            fixture.read_lists().await;
        }
    }
    assert!(accepted > 10 && rejected > 10, "{accepted} accepted, {rejected} rejected");
    fixture.read_lists().await;
    server.command("export markets").run().await.succeeded();
    fixture.admin.check_audit().await;
}

async fn unwritable_times_are_rejected(database: Database) {
    let server = Server::start(database).await;
    let fixture = Fixture::new(&server).await;
    let market = text(&fixture.market["id"]);
    for time in [
        "9999-12-31T23:59:59-01:00",
        "9999-12-31T23:59:59.999999-00:01",
        "0001-01-01T00:00:00+00:01",
    ] {
        fixture.open("endDate", json!(time)).await.refused(400, "VALIDATION_ERROR");
        let changed = fixture.change(&format!("/markets/{market}"), json!({"endDate": time})).await;
        changed.refused(400, "VALIDATION_ERROR");
        let key =
            json!({"name": "key", "scopes": ["read"], "expiresAt": time, "password": PASSWORD});
        fixture.admin.post("/api-keys", key).await.refused(400, "VALIDATION_ERROR");
        let account = format!("/accounts/{}", fixture.admin.account_id);
        fixture.ask(&account, "at", time).await.refused(400, "VALIDATION_ERROR");
        for bound in ["from", "to"] {
            let path = format!("/markets/{market}/prices?interval=1d");
            let asked =
                send(fixture.admin.request(Method::GET, &path).query(&[(bound, time)])).await;
            asked.refused(400, "VALIDATION_ERROR");
        }
    }
    fixture.open("endDate", json!("9999-12-31T23:59:59.999999Z")).await.expect(201);
    let expires_at = "9999-12-31T23:59:59Z";
    let key =
        json!({"name": "key", "scopes": ["read"], "expiresAt": expires_at, "password": PASSWORD});
    fixture.admin.post("/api-keys", key).await.expect(201);
    fixture
        .admin
        .get(&format!("/markets/{market}/prices?interval=1d&to=9999-12-31T23:59:59Z"))
        .await
        .expect(200);
    fixture.read_lists().await;
    server.command("export markets").run().await.succeeded();
}
