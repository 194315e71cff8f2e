//! Tests of health checks and metrics, and of the dashboard and alerts based on them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use std::collections::BTreeSet;
use std::path::Path;

use foretell_tests::{Client, Database, Server, eventually, on_each_database, text};
use reqwest::Method;
use serde_json::json;

on_each_database!(
    server_with_pending_migrations_is_not_ready,
    dashboard_and_alert_metrics_exist,
    metrics_access_is_configurable
);

const DASHBOARD: &str = include_str!("../../deploy/grafana/foretell.json");
const ALERTS: &str = include_str!("../../deploy/prometheus/alerts.yml");

/// Returns the metrics that a text mentions.
fn named(text: &str) -> BTreeSet<String> {
    let is_in_name = |c: char| c.is_ascii_lowercase() || c == '_';
    let names = text.match_indices("foretell_").map(|(at, _)| {
        let rest = &text[at..];
        rest[..rest.find(|c| !is_in_name(c)).unwrap_or(rest.len())].to_owned()
    });
    names.collect()
}

async fn scrape(client: &Client) -> String {
    let answer = client.request(Method::GET, "/metrics").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

/// Returns the value of a sample, by its name with its labels.
fn value(scraped: &str, sample: &str) -> Option<f64> {
    let line = scraped.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '))?;
    line.parse().ok()
}

async fn dashboard_and_alert_metrics_exist(database: Database) {
    let server = Server::start(database).await;
    let ada = server.register("ada").await;
    let market = ada.open_market(&["Yes", "No"], "10").await;
    ada.bet(&market, 0, "1").await.expect(201);
    for _ in 0..2 {
        ada.get(&format!("/markets/{}", text(&market["id"]))).await.expect(200);
    }
    ada.get("/markets/search?q=rain").await.expect(200);
    ada.get("/markets/no-id").await.expect(400);
    let wanted: BTreeSet<_> = named(DASHBOARD).union(&named(ALERTS)).cloned().collect();
    assert!(wanted.len() > 20, "{wanted:?}");
    // Some are updated every few seconds.
    let scraped = eventually("all metrics are there", async || {
        let scraped = scrape(&ada).await;
        let samples: BTreeSet<_> = scraped
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split(['{', ' ']).next())
            .collect();
        wanted.iter().all(|name| samples.contains(name.as_str())).then_some(scraped)
    })
    .await;
    let route = |class: &str| {
        format!(
            "foretell_http_requests_total{{method=\"GET\",route=\"/markets/{{id}}\",status=\"{class}\"}}"
        )
    };
    assert_eq!(value(&scraped, &route("2xx")), Some(2.0), "{scraped}");
    assert_eq!(value(&scraped, &route("4xx")), Some(1.0));
    assert_eq!(value(&scraped, "foretell_ledger_imbalance"), Some(0.0));
    assert!(!scraped.contains(&text(&market["id"])), "no id is a label");
    for line in scraped.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (_, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}

async fn metrics_access_is_configurable(database: Database) {
    let closed = Server::start_with(database, &[("FORETELL__METRICS__OPEN", "false")]).await;
    closed.client().get("/metrics").await.refused(404, "NOT_FOUND");
    let settings = [("FORETELL__METRICS__OPEN", "false"), ("FORETELL__METRICS__TOKEN", "a token")];
    let guarded = Server::start_with(database, &settings).await;
    let anyone = guarded.client();
    anyone.get("/metrics").await.refused(401, "UNAUTHORIZED");
    let with = |token: &str| anyone.request(Method::GET, "/metrics").bearer_auth(token);
    assert_eq!(with("a tokem").send().await.unwrap().status(), 401);
    assert_eq!(with("a token").send().await.unwrap().status(), 200);
}

async fn server_with_pending_migrations_is_not_ready(database: Database) {
    let server = Server::start(database).await;
    server.home().execute(
        "DELETE FROM __diesel_schema_migrations WHERE version =
        (SELECT max(version) FROM __diesel_schema_migrations)",
    );
    let answer = server.client().get("/readyz").await.refused(503, "UNAVAILABLE");
    let checks = &answer.body["details"]["checks"];
    assert_eq!(
        (&checks["migrations"]["status"], &checks["database"]["status"]),
        (&json!("down"), &json!("ok"))
    );
}

#[tokio::test]
async fn stopping_server_is_unready_and_serves_on() {
    let mut server =
        Server::start_with(Database::Sqlite, &[("FORETELL__SERVER__DRAIN_DELAY_S", "3")]).await;
    let ada = server.register("ada").await;
    let ready = ada.get("/readyz").await.data(200);
    for check in ["database", "migrations", "writer", "workers", "mail"] {
        assert_eq!(ready["checks"][check]["status"], "ok", "{ready}");
    }
    let checks = async {
        eventually("the server is no longer ready", async || {
            let answer = ada.get("/readyz").await;
            (answer.status == 503).then(|| answer.refused(503, "UNAVAILABLE"))
        })
        .await;
        ada.post("/posts", json!({ "title": "Late", "content": "Still served." }))
            .await
            .expect(201);
    };
    tokio::join!(server.stop_cleanly(), checks);
}

#[test]
fn alerts_are_documented() {
    let guide = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md"),
    );
    let guide = guide.unwrap();
    let alerts: Vec<_> =
        ALERTS.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 8);
    for alert in alerts {
        assert!(guide.contains(&format!("| {alert} |")), "{alert}");
    }
}
