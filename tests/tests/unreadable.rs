//! Tests of unreadable rows: lists and searches skip them, and reads of one return an error.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use std::collections::BTreeSet;

use foretell_tests::{Client, Database, Home, Server, eventually, on_each_database, text};
use serde_json::{Value, json};

on_each_database!(
    lists_skip_unreadable_rows,
    unreadable_row_is_logged_once,
    unreadable_trades_leave_markets_usable,
);

/// A time in the year 10000, in microseconds.
const TOO_LATE: &str = "253402304399000000";

/// Makes columns of rows invalid directly in the database, despite constraints and triggers.
struct Breaker<'a>(&'a Home);

impl Breaker<'_> {
    /// Sets a column of the row with this id.
    fn set(&self, table: &str, key: &str, id: &Value, assignment: &str) {
        let id = text(id);
        let on_postgres = "SET session_replication_role = replica;
            DO $$ DECLARE found record; BEGIN
                FOR found IN SELECT conrelid::regclass AS owner, conname FROM pg_constraint
                    WHERE contype = 'c' AND connamespace = 'public'::regnamespace LOOP
                    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.owner, found.conname);
                END LOOP;
            END $$;";
        let update = if self.0.database_url().is_some() {
            format!("{on_postgres} UPDATE {table} SET {assignment} WHERE {key} = '{id}'")
        } else {
            self.0.drop_refusing_triggers();
            let id = id.replace('-', "");
            format!(
                "PRAGMA ignore_check_constraints = ON; UPDATE {table} SET {assignment}
                WHERE {key} = x'{id}'"
            )
        };
        self.0.execute(&update);
    }
}

/// Returns the ids of all rows of a list of version 2, read one by one.
async fn walk(who: &Client, path: &str) -> Vec<String> {
    let joint = if path.contains('?') { '&' } else { '?' };
    let mut ids = Vec::new();
    let mut cursor = String::new();
    loop {
        let answer = who.get(&format!("/api/v2{path}{joint}limit=1{cursor}")).await.expect(200);
        let rows = answer.body["data"].as_array().unwrap();
        ids.extend(rows.iter().map(|row| text(&row["id"])));
        match answer.body["meta"]["page"]["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
        assert!(ids.len() < 100, "{path} does not end: {ids:?}");
    }
}

/// Makes all rows but the first and the last invalid, each in another column, and reads the list in
/// both versions.
async fn check(
    server: &Server,
    who: &Client,
    path: &str,
    table: &str,
    made: &[Value],
    broken: &[&str],
) {
    assert_eq!(made.len(), broken.len() + 2, "{table}");
    let breaker = Breaker(server.home());
    let before = walk(who, path).await;
    for (row, assignment) in made[1..].iter().zip(broken) {
        breaker.set(table, "id", &row["id"], assignment);
    }
    let gone: Vec<_> = made[1..=broken.len()].iter().map(|row| text(&row["id"])).collect();
    let expected: Vec<_> = before.iter().filter(|id| !gone.contains(id)).cloned().collect();
    assert_eq!(walk(who, path).await, expected, "{path}");
    let joint = if path.contains('?') { '&' } else { '?' };
    let answer = who.get(&format!("{path}{joint}limit=100")).await.expect(200);
    let ids: Vec<_> =
        answer.body["data"].as_array().unwrap().iter().map(|row| text(&row["id"])).collect();
    assert_eq!(ids, expected, "{path}");
    let total = answer.body["meta"]["pagination"]["total"].as_u64().unwrap();
    assert_eq!(total, before.len() as u64, "{path}: the total counts what is stored");
}

async fn lists_skip_unreadable_rows(database: Database) {
    let server = Server::start(database).await;
    let admin = server.admin().await;
    let ada = server.register("ada").await;
    check_users(&server, &admin).await;
    check_markets(&server, &ada).await;
    let subject = check_posts(&server, &ada).await;
    check_credentials(&server, &ada).await;

    check_repair(&server).await;
    assert_eq!(walk(&admin, "/users").await.len(), 7);
    assert_eq!(walk(&ada, "/markets").await.len(), 5);
    assert_eq!(walk(&ada, "/posts").await.len(), 4);
    assert_eq!(walk(&ada, &subject).await.len(), 4);
    assert_eq!(walk(&ada, "/api-keys").await.len(), 5);
}

/// Returns the assignment of an invalid time to a column.
fn too_late(column: &str) -> String {
    format!("{column} = {TOO_LATE}")
}

/// Waits until a search finds so many resources, and reads all pages.
async fn search(who: &Client, path: &str, count: usize) -> Vec<String> {
    // Until all texts are embedded, a search may be answered from those that are.
    eventually("all that can be read to be found", async || {
        let found = walk(who, path).await;
        (found.len() == count).then_some(found)
    })
    .await
}

/// Reads each of these rows by its id.
async fn check_refused(who: &Client, path: &str, broken: &[Value]) {
    for row in broken {
        let path = format!("{path}/{}", text(&row["id"]));
        who.get(&path).await.refused(500, "UNREADABLE_RECORD");
    }
}

async fn check_users(server: &Server, admin: &Client) {
    let mut users = Vec::new();
    for name in ["b1", "b2", "b3", "b4", "b5"] {
        users.push(json!({ "id": server.register(name).await.user_id }));
    }
    let broken = ["role = 'KING'", "status = 'odd'", &too_late("created_at_us")];
    check(server, admin, "/users", "users", &users, &broken).await;
    check_refused(admin, "/users", &users[1..=broken.len()]).await;
}

async fn check_markets(server: &Server, ada: &Client) {
    let mut markets = Vec::new();
    for _ in 0..5 {
        markets.push(ada.open_market(&["Yes", "No"], "10").await);
    }
    let broken = [&too_late("created_at_us"), &too_late("ends_at_us"), "fee_bps = -1"];
    check(server, ada, "/markets", "markets", &markets, &broken).await;
    for path in ["/markets?sort=closing", "/markets?sort=volume", "/markets?status=open"] {
        assert_eq!(walk(ada, path).await.len(), 2, "{path}");
    }
    assert_eq!(search(ada, "/markets/search?q=rain", 2).await.len(), 2);
    check_refused(ada, "/markets", &markets[1..=broken.len()]).await;
}

/// Returns the path of the comments.
async fn check_posts(server: &Server, ada: &Client) -> String {
    let mut posts = Vec::new();
    for number in 0..4 {
        let post = json!({"title": "Rain", "content": "wet", "tags": [format!("tag{number}")], "published": true});
        posts.push(ada.post("/posts", post).await.data(201));
    }
    let (created, updated) = (too_late("created_at_us"), too_late("updated_at_us"));
    check(server, ada, "/posts", "posts", &posts, &[&created, &updated]).await;
    for path in ["/posts", "/posts?expand=author,comments"] {
        assert_eq!(walk(ada, path).await, [text(&posts[3]["id"]), text(&posts[0]["id"])], "{path}");
    }
    let found = BTreeSet::from_iter(search(ada, "/posts/search?q=rain", 2).await);
    assert_eq!(found, BTreeSet::from([&posts[0], &posts[3]].map(|post| text(&post["id"]))));

    let subject = format!("/posts/{}/comments", text(&posts[0]["id"]));
    let mut comments = Vec::new();
    for _ in 0..4 {
        comments.push(ada.post(&subject, json!({"content": "so wet"})).await.data(201));
    }
    check(server, ada, &subject, "comments", &comments, &[&created, &updated]).await;
    subject
}

/// Checks API keys and sessions.
async fn check_credentials(server: &Server, ada: &Client) {
    let (created, expires) = (too_late("created_at_us"), too_late("expires_at_us"));
    let mut keys = Vec::new();
    for _ in 0..5 {
        keys.push(ada.create_api_key(&["read"]).await);
    }
    check(server, ada, "/api-keys", "api_keys", &keys, &["scopes = 'all'", &created, &expires])
        .await;

    let mut sessions = Vec::new();
    for _ in 0..4 {
        let session = ada.log_in("ada@example.org", "correct horse battery").await;
        sessions.push(json!({ "id": session.session_id }));
    }
    check(server, ada, "/sessions", "sessions", &sessions, &[&expires, &created]).await;
}

/// Runs the SQL suggested by the doctor until it finds nothing.
async fn check_repair(server: &Server) {
    for _ in 0..5 {
        let doctor = server.command("doctor --json").run().await;
        let findings: Value = serde_json::from_str(&doctor.stdout).unwrap();
        let rows =
            findings.as_array().unwrap().iter().find(|finding| finding["check"] == "rows").unwrap();
        assert_eq!(rows["state"] == "ok", rows.get("rows").is_none(), "{rows}");
        let Some(rows) = rows.get("rows") else { return };
        assert!(!doctor.status.success());
        for row in rows.as_array().unwrap() {
            server.home().execute(&text(&row["repair"]));
        }
    }
    panic!("the doctor still finds rows that cannot be read");
}

async fn unreadable_row_is_logged_once(database: Database) {
    let server = Server::start(database).await;
    let admin = server.admin().await;
    let ben = server.register("ben").await;
    Breaker(server.home()).set("users", "id", &json!(ben.user_id), "role = 'KING'");
    for _ in 0..3 {
        walk(&admin, "/users").await;
    }
    let log = server.log();
    assert_eq!(log.matches("stored row cannot be read").count(), 1, "{log}");
    assert!(log.contains("table=\"users\"") || log.contains("\"table\":\"users\""), "{log}");
    let metrics = admin.get("/metrics").await.expect(200).body.to_string();
    assert!(metrics.contains("foretell_unreadable_rows_total{table=\\\"users\\\"}"), "{metrics}");
}

async fn unreadable_trades_leave_markets_usable(database: Database) {
    let server = Server::start(database).await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let market = ada.open_market(&["Yes", "No"], "10").await;
    let mut bets = Vec::new();
    for _ in 0..6 {
        bets.push(ben.bet(&market, 0, "1.00").await.data(201));
    }
    ben.bet(&market, 1, "1.00").await.expect(201);
    let id = text(&market["id"]);
    let path = format!("/markets/{id}/bets");
    let created = format!("created_at_us = {TOO_LATE}");
    let broken = ["side = 'both'", &created, "option_index = -1"];
    let breaker = Breaker(server.home());
    for (bet, assignment) in bets[1..].iter().zip(broken) {
        breaker.set("bets", "id", &bet["id"], assignment);
    }
    assert_eq!(walk(&ada, &path).await.len(), 4);
    assert_eq!(walk(&ben, "/me/bets").await.len(), 4);
    ada.get(&format!("/markets/{id}/prices?interval=1h")).await.expect(200);
    ada.get(&format!("/markets/{id}?expand=bets")).await.expect(200);
    ada.get("/markets?expand=creator,bets").await.expect(200);

    breaker.set("market_options", "market_id", &market["id"], "initial_probability = 2");
    assert_eq!(walk(&ada, "/markets").await, [""; 0]);
    ben.get("/me/positions").await.expect(200);
    ben.get("/leaderboard").await.expect(200);
    breaker.set("users", "id", &json!(ben.user_id), "role = 'KING'");
    ada.get("/leaderboard").await.expect(200);
    // His session stays in the cache for a moment.
    eventually("the unreadable user to be noticed", async || {
        (ben.get("/users").await.body["code"] == "UNREADABLE_RECORD").then_some(())
    })
    .await;
    for what in ["markets", "bets", "transfers"] {
        server.command(&format!("export {what}")).run().await.succeeded();
    }
    breaker.set("transfers", "id", &bets[0]["transferId"], "kind = 'gift'");
    server.command("export transfers").run().await.succeeded();
    breaker.set("accounts", "id", &json!(ben.account_id), "status = 'odd'");
    ada.pay(&ben, "1.00").await.refused(500, "UNREADABLE_RECORD");
    ada.open_market(&["Yes", "No"], "10").await;
}
