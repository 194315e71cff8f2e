//! Tests of the process: startup, rejected configurations, output and logs, and shutdown.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use foretell_tests::{
    Client, Database, Home, Program, Replay, Server, eventually, market, new_id, new_key,
    on_each_database, send, text,
};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

on_each_database!(
    migrate_applies_pending_migrations,
    demo_fills_an_empty_database_only,
    changed_currency_is_rejected,
    newer_database_is_rejected,
    accepted_requests_are_answered_before_stop,
    acknowledged_bets_survive_kill,
    logs_name_requests_and_no_secrets,
    request_line_has_database_cost,
);

/// Returns the binary with only a free port configured: another test may use the default one.
fn on_any_port(home: &Home) -> Program {
    Program::new(home).variable("FORETELL__SERVER__BIND", "127.0.0.1:0")
}

#[tokio::test]
async fn first_start_needs_no_configuration() {
    let home = Home::new(Database::Sqlite);
    let program = on_any_port(&home);
    let mut server = Server::launch(home, program).await;
    let folder = std::fs::metadata(server.home().data_dir()).unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    assert!(server.home().data_dir().join("foretell.db").is_file());
    assert!(server.log().contains("register one with POST http://"), "it says what to do next");
    assert!(server.log().contains("foretell admin create"), "it says what to do next");
    server.register("ada").await;

    server.stop_cleanly().await;
    let said_before = server.log().len();
    server.start_again().await;
    assert!(!server.log()[said_before..].contains("admin create"), "someone is registered now");
}

#[tokio::test]
async fn unknown_settings_and_bad_values_are_reported() {
    let home = Home::new(Database::Sqlite);
    let program = Program::new(&home);
    let typo = program.clone().variable("FORETELL__SERVER__BNID", "127.0.0.1:0").run().await;
    typo.failed(&["FORETELL__SERVER__BNID", "FORETELL__SERVER__BIND"]);
    let bad = program.clone().variable("FORETELL__SERVER__BIND", "nonsense").run().await;
    bad.failed(&["server.bind", "nonsense"]);
    let both = program
        .clone()
        .variable("FORETELL__WRITER__LANES", "-1")
        .variable("FORETELL__LOG__FORMAT", "xml");
    both.run().await.failed(&["writer.lanes", "log.format"]);

    let file = home.path().join("settings.toml");
    std::fs::write(
        &file,
        "[server]\nbind = \"127.0.0.1:0\"\nbnid = 1\n\n[currency]\ndecimals = 9\n",
    )
    .unwrap();
    let in_file = program.clone().arguments("serve --config settings.toml").run().await;
    in_file.failed(&["server.bnid", "settings.toml", "currency.decimals"]);
    program
        .clone()
        .arguments("migrate --config nowhere.toml")
        .run()
        .await
        .failed(&["nowhere.toml"]);
    program.arguments("predict").run().await.failed(&["predict"]);
    assert!(!home.data_dir().exists(), "nothing is made before the settings are right");
}

#[tokio::test]
async fn settings_are_printed_without_secrets() {
    let home = Home::new(Database::Sqlite);
    let program =
        Program::new(&home).variable("DATABASE_URL", "postgres://user:hush@127.0.0.1/name");
    let checked = program.clone().arguments("config check").run().await;
    assert_eq!(checked.succeeded().stdout, "the configuration is valid\n");
    let bad = program.clone().variable("FORETELL__LOG__FORMAT", "xml").arguments("config check");
    bad.run().await.failed(&["log.format"]);
    let shown = program.arguments("config dump").run().await;
    let shown = shown.succeeded().stdout;
    assert!(shown.contains("url = \"(hidden)\" # DATABASE_URL"), "{shown}");
    assert!(!shown.contains("hush"), "{shown}");
    assert!(!home.data_dir().exists(), "looking makes nothing");
}

#[tokio::test]
async fn port_in_use_is_reported() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let home = Home::new(Database::Sqlite);
    let program = Program::new(&home).variable("FORETELL__SERVER__BIND", &address);
    program.run().await.failed(&["cannot listen", &address, "server.bind"]);
}

#[tokio::test]
async fn unreachable_database_is_reported_without_password() {
    let home = Home::new(Database::Sqlite);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("postgres://someone:hunter2@{free}/nothing");
    let finished =
        on_any_port(&home).variable("DATABASE_URL", url).run().await.failed(&[&free.to_string()]);
    assert!(!finished.stderr.contains("hunter2"), "{}", finished.stderr);
}

#[tokio::test]
async fn hangup_ends_neither_server_nor_worker() {
    let mut server = Server::start(Database::Sqlite).await;
    let worker = server.start_worker().await;
    for _ in 0..2 {
        server.hang_up();
        worker.hang_up();
    }
    eventually("a line about SIGHUP", async || {
        server.log().contains("SIGHUP ignored").then_some(())
    })
    .await;
    server.register("ada").await;
    worker.stop().await;
    server.stop_cleanly().await;
}

async fn migrate_applies_pending_migrations(database: Database) {
    let home = Home::new(database);
    let program = Program::new(&home).arguments("migrate");
    let first = program.run().await.succeeded();
    assert!(
        first.stdout.contains("applied") && first.stdout.contains("up to date"),
        "{}",
        first.stdout
    );
    let second = program.run().await.succeeded();
    assert!(
        !second.stdout.contains("applied") && second.stdout.contains("up to date"),
        "{}",
        second.stdout
    );
}

async fn demo_fills_an_empty_database_only(database: Database) {
    let home = Home::new(database);
    let program = on_any_port(&home);
    let demo = program.clone().arguments("demo").run().await.succeeded();
    let password = demo.stdout.lines().last().unwrap().to_owned();
    program.clone().arguments("ledger audit").run().await.succeeded();
    program.clone().arguments("demo").run().await.failed(&["not empty"]);

    let server = Server::launch(home, program).await;
    let ada = server.client().log_in("ada@example.org", &password).await;
    ada.check_audit().await;
    let statuses: BTreeSet<_> =
        ada.all("/markets").await.iter().map(|market| text(&market["status"])).collect();
    assert_eq!(statuses, ["cancelled", "closed", "open", "resolved"].map(str::to_owned).into());
}

async fn changed_currency_is_rejected(database: Database) {
    let home = Home::new(database);
    let program = on_any_port(&home).arguments("ledger audit");
    program.run().await.succeeded();
    for (name, value) in
        [("FORETELL__CURRENCY__DECIMALS", "3"), ("FORETELL__CURRENCY__CODE", "GOLD")]
    {
        let other = program.clone().variable(name, value);
        other.run().await.failed(&["currency", "PLAY"]);
        other.arguments("serve").run().await.failed(&["currency", "PLAY"]);
    }
    program.run().await.succeeded();
}

async fn newer_database_is_rejected(database: Database) {
    let home = Home::new(database);
    let program = on_any_port(&home);
    program.clone().arguments("migrate").run().await.succeeded();
    home.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000001')");
    for command in ["migrate", "serve", "ledger audit", "demo"] {
        program.clone().arguments(command).run().await.failed(&["29991231000001", "newer"]);
    }
}

/// A bet that was sent, and its result.
#[derive(Debug)]
struct Sent {
    user: usize,
    key: String,
    client_id: String,
    body: Value,
    is_acknowledged: bool,
}

/// Makes clients bet until the server no longer responds; `interrupt` runs in the middle.
async fn load(users: &[Client], market: &Value, mut interrupt: impl AsyncFnMut()) -> Vec<Sent> {
    let count = Arc::new(AtomicUsize::new(0));
    let bet =
        |n| bet_until_it_ends(n % users.len(), users.to_vec(), market.clone(), Arc::clone(&count));
    let tasks: Vec<_> = (0..16).map(|n| tokio::spawn(bet(n))).collect();
    eventually("the load to be under way", async || {
        (count.load(Ordering::Relaxed) >= 100).then_some(())
    })
    .await;
    interrupt().await;
    join_all(tasks).await.into_iter().flat_map(Result::unwrap).collect()
}

async fn bet_until_it_ends(
    user: usize,
    users: Vec<Client>,
    market: Value,
    acknowledged: Arc<AtomicUsize>,
) -> Vec<Sent> {
    let path = format!("/markets/{}/bets", text(&market["id"]));
    let mut all = Vec::new();
    loop {
        let (key, client_id) = (new_key(), new_id());
        let option = &market["options"][all.len() % 2]["id"];
        let body = json!({"clientId": client_id, "optionId": option, "amount": "0.10"});
        let answer = users[user].try_post_once(&path, &key, body.clone()).await.ok();
        let is_acknowledged = answer.as_ref().is_some_and(|answer| answer.status == 201);
        all.push(Sent { user, key, client_id, body, is_acknowledged });
        acknowledged.fetch_add(usize::from(is_acknowledged), Ordering::Relaxed);
        let Some(answer) = answer else { return all };
        if !is_acknowledged {
            // It may be rejected, but not fail.
            answer.refused(503, "UNAVAILABLE");
        }
    }
}

async fn traders(server: &Server) -> Vec<Client> {
    vec![server.register("ada").await, server.register("ben").await, server.register("cleo").await]
}

async fn stored_bets(client: &Client, market: &Value) -> Vec<Value> {
    let mut bets = client.all(&format!("/markets/{}/bets", text(&market["id"]))).await;
    bets.reverse();
    bets
}

/// Returns the client ids of the users' bets, which are distinct.
async fn stored_client_ids(users: &[Client]) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for user in users {
        for bet in user.all("/me/bets").await {
            assert!(ids.insert(text(&bet["clientId"])), "each bet is there once: {bet:#}");
        }
    }
    ids
}

fn moved(users: &[Client], server: &Server) -> Vec<Client> {
    users.iter().map(|user| user.moved_to(server.origin())).collect()
}

async fn accepted_requests_are_answered_before_stop(database: Database) {
    let mut server = Server::start(database).await;
    let users = traders(&server).await;
    let opened = users[0].open_market(&["Yes", "No"], "100.00").await;
    let mut status = None;
    let sent = load(&users, &opened, async || status = Some(server.stop().await)).await;
    assert_eq!(status.and_then(|status| status.code()), Some(0), "it ends as asked");

    server.start_again().await;
    let acknowledged = sent.iter().filter(|sent| sent.is_acknowledged);
    let acknowledged: BTreeSet<_> = acknowledged.map(|sent| sent.client_id.clone()).collect();
    let stored = stored_client_ids(&moved(&users, &server)).await;
    let differing: Vec<_> = stored.symmetric_difference(&acknowledged).collect();
    assert!(differing.is_empty(), "what was done was said, and the other way round: {differing:?}");
    server.admin().await.check_audit().await;
}

async fn acknowledged_bets_survive_kill(database: Database) {
    let mut server = Server::start(database).await;
    let mut users = traders(&server).await;
    let admin = server.admin().await;
    let sent_market = market(&["Yes", "No"], "100.00");
    let opened = users[0].post("/markets", sent_market.clone()).await.data(201);
    let mut expected = BTreeSet::new();
    for _ in 0..3 {
        let sent = load(&users, &opened, async || server.kill()).await;
        server.start_again().await;
        users = moved(&users, &server);
        check_after_kill(&users, &opened, &sent).await;
        expected.extend(sent.into_iter().map(|sent| sent.client_id));

        let bets = stored_bets(&users[0], &opened).await;
        assert_eq!(stored_client_ids(&users).await, expected);
        assert_eq!(bets.len(), expected.len());
        let mut replay = Replay::new(&sent_market, &opened, &users.iter().collect::<Vec<_>>());
        replay.apply_all(&bets);
        admin.moved_to(server.origin()).check_audit().await;
    }
    server.stop_cleanly().await;
}

/// Checks that acknowledged bets are stored; the others are sent again under their key, and are
/// stored then.
async fn check_after_kill(users: &[Client], market: &Value, sent: &[Sent]) {
    let stored = stored_client_ids(users).await;
    let path = format!("/markets/{}/bets", text(&market["id"]));
    for sent in sent {
        if sent.is_acknowledged {
            assert!(
                stored.contains(&sent.client_id),
                "the acknowledged bet {} is gone",
                sent.client_id
            );
            continue;
        }
        let answer =
            users[sent.user].post_once(&path, &sent.key, sent.body.clone()).await.expect(201);
        assert_eq!(answer.is_replay(), stored.contains(&sent.client_id), "{}", sent.client_id);
        assert_eq!(answer.data(201)["clientId"], sent.client_id.as_str());
    }
}

async fn logs_name_requests_and_no_secrets(database: Database) {
    let mut server = Server::start_with(database, &[("FORETELL__LOG__FILTER", "trace")]).await;
    let ada = server.register("ada").await;
    let secret = "swordfish-and-chips";
    let wrong = json!({"email": "ada@example.org", "password": secret});
    let request =
        ada.request(Method::POST, "/sessions").header("X-Request-Id", "wrong-password-17");
    send(request.json(&wrong)).await.expect(401);
    let broken = format!("{{\"email\": \"ada@example.org\", \"password\": \"{secret}\"");
    let request = ada
        .request(Method::POST, "/sessions")
        .header("Content-Type", "application/json")
        .body(broken);
    send(request).await.expect(400);
    ada.open_market(&["Yes", "No"], "10.00").await;
    let cookie = format!("foretell_session={secret}");
    send(server.client().request(Method::GET, "/me").header("Cookie", cookie)).await.expect(401);
    server.admin().await;
    server.stop_cleanly().await;

    let log = server.log();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names = |line: &Value| {
        line["spans"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|span| span["request_id"] == "wrong-password-17")
    };
    assert!(lines.iter().any(names), "the request's id is in the lines about it");
    let token = ada.token.unwrap();
    for secret in
        [secret, "correct horse battery", &token, "$argon2", "ada@example.org", "root@example.org"]
    {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}

async fn request_line_has_database_cost(database: Database) {
    let mut server = Server::start_with(database, &[("FORETELL__LOG__FILTER", "info")]).await;
    let ada = server.register("ada").await;
    let market = ada.open_market(&["Yes", "No"], "10.00").await;
    let path = format!("/markets/{}", text(&market["id"]));
    let ask = async |method, path: &str, id: &str| {
        let request = ada.request(method, path).header("X-Request-Id", id);
        let bet = json!({"optionId": market["options"][0]["id"], "amount": "1"});
        send(request.header("Idempotency-Key", new_key()).json(&bet)).await
    };
    ask(Method::POST, &format!("{path}/bets"), "the-bet").await.expect(201);
    ask(Method::GET, "/markets", "the-list").await;
    ask(Method::GET, "/openapi.json", "the-document").await;
    server.stop_cleanly().await;

    let log = server.log();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let lines: Vec<_> = lines.filter(|line| line["target"] == "foretell_request").collect();
    let cost = |id: &str| {
        let line = lines.iter().find(|line| line["spans"][0]["request_id"] == id).unwrap();
        let number = |field: &str| line[field].as_u64().unwrap();
        assert!(number("database_us") <= 8 * number("elapsed_us"), "{line:#}");
        (number("statements"), number("database_us"))
    };
    let (of_bet, time_of_bet) = cost("the-bet");
    assert!(
        (5..40).contains(&of_bet) && time_of_bet > 0,
        "{of_bet} statements in {time_of_bet} us"
    );
    let (of_list, time_of_list) = cost("the-list");
    assert!(
        (1..10).contains(&of_list) && time_of_list > 0,
        "{of_list} statements in {time_of_list} us"
    );
    assert_eq!(cost("the-document"), (0, 0));
}
