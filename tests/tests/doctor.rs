//! Tests of `foretell doctor`: it finds every problem in its check, with a fix.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use std::collections::BTreeMap;

use foretell_tests::{Collector, Database, Program, Server, eventually, on_each_database, text};
use serde_json::Value;

on_each_database!(
    healthy_server_passes_all_checks,
    every_problem_is_found,
    incomplete_search_index_is_found_and_rebuilt,
);

/// Returns the worst state of each check, and `true` if the doctor succeeded.
async fn findings(program: Program) -> (BTreeMap<String, String>, bool) {
    let done = program.run().await;
    let found: Value = serde_json::from_str(&done.stdout).unwrap();
    let mut states: BTreeMap<String, String> = BTreeMap::new();
    for finding in found.as_array().unwrap() {
        let (check, state) = (text(&finding["check"]), text(&finding["state"]));
        let is_ok = state == "ok";
        assert_eq!(
            finding.get("mend").is_some() && finding.get("why").is_some(),
            !is_ok,
            "{finding}"
        );
        let known = states.entry(check).or_insert_with(|| state.clone());
        if known == "ok" {
            *known = state;
        }
    }
    (states, done.status.success())
}

async fn healthy_server_passes_all_checks(database: Database) {
    let server = Server::start(database).await;
    let ada = server.register("ada").await;
    ada.open_market(&["Yes", "No"], "10").await;
    search_index_is_built(&server).await;
    let collector = Collector::start().await;
    let doctor = server.command("doctor --json");
    let doctor = collector
        .settings()
        .iter()
        .fold(doctor, |doctor, (name, value)| doctor.variable(name, *value));
    let (states, is_content) = findings(doctor).await;
    assert!(is_content, "{states:?}");
    for check in [
        "configuration",
        "database",
        "migrations",
        "durability",
        "ledger",
        "rows",
        "search",
        "mail",
        "traces",
        "proxies",
    ] {
        assert_eq!(states[check], "ok", "{states:?}");
    }
    let told = server.command("doctor").run().await.succeeded().stdout;
    assert!(told.contains("ok       ledger"), "{told}");
}

/// Waits for the background task that builds the search index of a new server.
async fn search_index_is_built(server: &Server) {
    eventually("the search index to be built", async || {
        let built = server.home().count("SELECT count(*) AS count FROM search_index") == 1;
        let indexed = server.home().count("SELECT count(*) AS count FROM market_texts") > 0;
        (built && indexed).then_some(())
    })
    .await;
}

/// Returns the finding about the search index.
async fn search_finding(server: &Server) -> Value {
    let done = server.command("doctor --json").run().await;
    let findings: Vec<Value> = serde_json::from_str(&done.stdout).unwrap();
    findings.into_iter().find(|finding| finding["check"] == "search").unwrap()
}

async fn incomplete_search_index_is_found_and_rebuilt(database: Database) {
    let mut server = Server::start(database).await;
    let ada = server.register("ada").await;
    ada.open_market(&["Yes", "No"], "10").await;
    search_index_is_built(&server).await;
    server.stop_cleanly().await;
    assert_eq!(search_finding(&server).await["state"], "ok");

    let lost = match database {
        Database::Sqlite => ("DROP TABLE market_words", "failed"),
        Database::Postgres => ("DROP INDEX markets_by_words", "warning"),
    };
    for (sql, state) in
        [("DELETE FROM market_texts", "warning"), ("DELETE FROM search_index", "warning"), lost]
    {
        server.home().execute(sql);
        let finding = search_finding(&server).await;
        assert_eq!(finding["state"], state, "{sql}: {finding}");
        let repair = text(&finding["mend"]);
        if let Some(arguments) = repair.strip_prefix("foretell ") {
            server.command(arguments).run().await.succeeded();
        } else {
            server.home().execute(&repair);
        }
        let finding = search_finding(&server).await;
        assert_eq!(finding["state"], "ok", "{sql}: {finding}");
    }
}

async fn every_problem_is_found(database: Database) {
    let mut server = Server::start(database).await;
    server.register("ada").await;
    server.stop_cleanly().await;
    let doctor = |settings: &[(&str, &str)]| {
        let program = server.command("doctor --json");
        settings.iter().fold(program, |program, (name, value)| program.variable(name, *value))
    };

    let away = [
        ("REDIS_URL", "redis://127.0.0.1:1"),
        ("FORETELL__MAIL__TRANSPORT", "smtp"),
        ("FORETELL__MAIL__SMTP_HOST", "127.0.0.1"),
        ("FORETELL__MAIL__SMTP_PORT", "1"),
        ("FORETELL__TRACES__ENDPOINT", "http://127.0.0.1:1/v1/traces"),
        ("FORETELL__SERVER__BIND", "0.0.0.0:8080"),
    ];
    let (states, is_content) = findings(doctor(&away)).await;
    assert!(is_content, "all goes on without these: {states:?}");
    for check in ["redis", "mail", "traces", "proxies", "metrics"] {
        assert_eq!(states[check], "warning", "{states:?}");
    }

    server
        .home()
        .execute("UPDATE accounts SET balance_minor = balance_minor + 1 WHERE kind = 'user'");
    let (states, is_content) = findings(doctor(&[])).await;
    assert_eq!((states["ledger"].as_str(), is_content), ("failed", false), "{states:?}");

    let newest = "version = (SELECT max(version) FROM __diesel_schema_migrations)";
    server.home().execute(&format!("DELETE FROM __diesel_schema_migrations WHERE {newest}"));
    let (states, is_content) = findings(doctor(&[])).await;
    assert_eq!((states["migrations"].as_str(), is_content), ("warning", true), "{states:?}");

    server
        .home()
        .execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000099')");
    let (states, is_content) = findings(doctor(&[])).await;
    assert_eq!((states["migrations"].as_str(), is_content), ("failed", false), "{states:?}");

    let (states, is_content) =
        findings(doctor(&[("DATABASE_URL", "postgres://127.0.0.1:1/nobody")])).await;
    assert_eq!((states["database"].as_str(), is_content), ("failed", false), "{states:?}");
}
