//! Tests of jobs that cannot run: of unknown kinds, in a blocked lane, and emails that are
//! rejected.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use std::collections::BTreeSet;

use foretell_tests::{
    Client, Database, Server, eventually, new_id, on_each_database, seconds_from_now, send, text,
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};

on_each_database!(
    only_job_of_unknown_kind_becomes_dead,
    rejected_email_is_not_retried,
    market_has_one_closing_job,
    closing_jobs_are_merged_by_migration
);

/// Settings with frequent polling.
const BRISK: [(&str, &str); 1] = [("FORETELL__JOBS__POLL_MS", "50")];

/// Returns the jobs of a kind, newest first.
async fn jobs(admin: &Client, kind: &str) -> Vec<Value> {
    let listed = admin.get(&format!("/admin/jobs?kind={kind}&limit=100")).await.data(200);
    listed.as_array().unwrap().clone()
}

/// Adds a due job directly to the database.
fn add_job(server: &Server, id: &str, kind: &str, lane: &str) {
    let literal = match server.home().database_url() {
        Some(_) => format!("'{id}'"),
        None => format!("x'{}'", id.replace('-', "")),
    };
    server.home().execute(&format!(
        "INSERT INTO jobs (id, kind, lane, state, due_at_us, leases, failures, created_at_us)
        VALUES ({literal}, '{kind}', '{lane}', 'waiting', 1, 0, 0, 1)"
    ));
}

async fn only_job_of_unknown_kind_becomes_dead(database: Database) {
    let server = Server::start_with(database, &BRISK).await;
    let admin = server.admin().await;
    // Of a future version in both lanes, and one without the ids of its kind.
    let (later, webhooks, idless) = (new_id(), new_id(), new_id());
    add_job(&server, &later, "send_pigeon", "main");
    add_job(&server, &webhooks, "send_pigeon", "webhooks");
    add_job(&server, &idless, "close_market", "main");
    let dead = async || {
        eventually("the jobs to be given up", async || {
            let dead =
                admin.get("/admin/jobs?state=dead").await.data(200).as_array().unwrap().clone();
            (dead.len() == 3).then_some(dead)
        })
        .await
    };
    let kinds: BTreeSet<_> = dead().await.iter().map(|job| text(&job["kind"])).collect();
    assert_eq!(kinds, BTreeSet::from(["close_market".to_owned(), "send_pigeon".to_owned()]));
    for job in dead().await {
        assert!(text(&job["error"]).contains("unknown job"), "{job}");
    }
    server.register("ada").await;
    eventually("other jobs to be done", async || {
        let jobs = jobs(&admin, "welcome_mail").await;
        jobs.iter().all(|job| job["state"] == "done").then_some(())
    })
    .await;
    let listed = server.command("jobs list --state dead").run().await.succeeded().stdout;
    assert_eq!(listed.lines().filter(|line| line.contains("send_pigeon")).count(), 2, "{listed}");
    admin.post(&format!("/admin/jobs/{later}/retry"), json!({})).await.expect(200);
    dead().await;
    admin.delete(&format!("/admin/jobs/{webhooks}")).await.expect(204);
    server.command(&format!("jobs discard {idless}")).run().await.succeeded();
    let left = admin.get("/admin/jobs?state=dead").await.data(200);
    assert_eq!(left.as_array().unwrap().len(), 1, "{left}");
    let ready = admin.get("/readyz").await.data(200);
    let lanes = json!({ "main": { "status": "ok" }, "webhooks": { "status": "ok" } });
    assert_eq!(ready["checks"]["workers"]["lanes"], lanes, "{ready}");
}

#[tokio::test]
async fn lane_that_cannot_lease_jobs_is_down() {
    let server = Server::start_with(Database::Sqlite, &BRISK).await;
    let admin = server.admin().await;
    server.home().execute(
        "CREATE TRIGGER broken BEFORE UPDATE ON jobs WHEN new.lane = 'webhooks'
        BEGIN SELECT RAISE(ABORT, 'broken by a test'); END",
    );
    add_job(&server, &new_id(), "webhook", "webhooks");
    let ready = eventually("the lane to be down", async || {
        let ready = admin.get("/readyz").await;
        (ready.status == 503).then_some(ready)
    })
    .await;
    let lanes = json!({ "main": { "status": "ok" }, "webhooks": { "status": "down" } });
    assert_eq!(ready.body["details"]["checks"]["workers"]["lanes"], lanes, "{:#}", ready.body);
}

async fn rejected_email_is_not_retried(database: Database) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    tokio::spawn(refuse_ada(listener));
    let settings = [
        BRISK[0],
        ("FORETELL__MAIL__TRANSPORT", "smtp"),
        ("FORETELL__MAIL__SMTP_HOST", "127.0.0.1"),
        ("FORETELL__MAIL__SMTP_PORT", &port),
        ("FORETELL__MAIL__SMTP_TLS", "none"),
    ];
    let server = Server::start_with(database, &settings).await;
    let admin = server.admin().await;
    server.register("ada").await;
    let ended = eventually("the emails to be sent or given up", async || {
        let jobs = jobs(&admin, "welcome_mail").await;
        let is_over = |job: &Value| job["state"] == "done" || job["state"] == "dead";
        (jobs.len() == 2 && jobs.iter().all(is_over)).then_some(jobs)
    })
    .await;
    let refused: Vec<_> = ended.iter().filter(|job| job["state"] == "dead").collect();
    assert_eq!(refused.len(), 1, "{ended:?}");
    assert_eq!(refused[0]["failures"], 1, "{ended:?}");
    assert!(text(&refused[0]["error"]).contains("550"), "{ended:?}");
    let ready = admin.get("/readyz").await.data(200);
    assert_eq!(ready["checks"]["mail"]["status"], "ok", "{ready}");
    let log = server.log();
    let given_up = log.lines().find(|line| line.contains("(attempt 1 of 3) and was given up"));
    let given_up = given_up.unwrap_or_else(|| panic!("{log}"));
    assert!(given_up.contains("WARN"), "the operator can do nothing about it: {given_up}");
}

/// Runs a mail server that rejects every email to ada.
async fn refuse_ada(listener: tokio::net::TcpListener) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let mut stream = tokio::io::BufStream::new(stream);
            let (mut answer, mut is_message) = ("220 ready", false);
            loop {
                if !answer.is_empty() {
                    stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
                    stream.flush().await.unwrap();
                }
                let mut line = String::new();
                if !stream.read_line(&mut line).await.is_ok_and(|bytes| bytes > 0) {
                    return;
                }
                answer = match line.trim_end() {
                    "." => "250 queued",
                    _ if is_message => "",
                    "DATA" => "354 go on",
                    "RCPT TO:<ada@example.org>" => "550 5.1.1 no such user",
                    _ => "250 ok",
                };
                is_message = answer == "354 go on" || answer.is_empty();
            }
        });
    }
}

/// Creates a market and moves its end date a hundred times, the last time to this one.
async fn moved_market(user: &Client, ends_at: &str) -> Value {
    let market = user.open_market(&["Yes", "No"], "10.00").await;
    let path = format!("/markets/{}", text(&market["id"]));
    for day in 1..100 {
        let date = format!("2099-{:02}-{:02}T00:00:00Z", 1 + day / 28, 1 + day % 28);
        send(user.request(Method::PATCH, &path).json(&json!({ "endDate": date })))
            .await
            .expect(200);
    }
    send(user.request(Method::PATCH, &path).json(&json!({ "endDate": ends_at }))).await.data(200)
}

async fn market_has_one_closing_job(database: Database) {
    let server = Server::start_with(database, &BRISK).await;
    let (admin, ada) = (server.admin().await, server.register("ada").await);
    let market = moved_market(&ada, "2100-01-01T00:00:00Z").await;
    let path = format!("/markets/{}", text(&market["id"]));
    let found = jobs(&admin, "close_market").await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((&found[0]["marketId"], &found[0]["dueAt"]), (&market["id"], &market["endDate"]));
    let soon = json!({ "endDate": seconds_from_now(2) });
    send(ada.request(Method::PATCH, &path).json(&soon)).await.expect(200);
    // While it is open, its status is shown as closed after the end date; the job creates a new
    // version.
    eventually("the market to be closed by its job", async || {
        let jobs = jobs(&admin, "close_market").await;
        assert_eq!(jobs.len(), 1, "{jobs:#?}");
        (jobs[0]["state"] == "done").then_some(())
    })
    .await;
    let closed = ada.get(&path).await.data(200);
    assert_eq!(
        (&closed["status"], &closed["version"]),
        (&json!("closed"), &json!(103)),
        "{closed}"
    );
    let deleted = moved_market(&ada, "2100-01-01T00:00:00Z").await;
    ada.delete(&format!("/markets/{}", text(&deleted["id"]))).await.expect(204);
    let left = jobs(&admin, "close_market").await;
    assert_eq!((left.len(), &left[0]["marketId"]), (1, &closed["id"]), "{left:#?}");
}

/// The migration leaves one job for each open market, which is found again when the end date moves.
async fn closing_jobs_are_merged_by_migration(database: Database) {
    let mut server = Server::start_with(database, &BRISK).await;
    let (admin, ada) = (server.admin().await, server.register("ada").await);
    let open = ada.open_market(&["Yes", "No"], "10.00").await;
    let closed = ada.open_market(&["Yes", "No"], "10.00").await;
    ada.post(&format!("/markets/{}/close", text(&closed["id"])), json!({})).await.expect(200);
    let (new_id, folder) = match database {
        Database::Sqlite => ("randomblob(16)", "sqlite"),
        Database::Postgres => ("gen_random_uuid()", "postgres"),
    };
    server.stop_cleanly().await;
    let migration = format!(
        "{}/../migrations/{folder}/2026-11-29-000022_quotas/down.sql",
        env!("CARGO_MANIFEST_DIR")
    );
    let home = server.home();
    home.execute(&std::fs::read_to_string(migration).unwrap());
    home.execute("DELETE FROM __diesel_schema_migrations WHERE version = '20261129000022'");
    home.execute(&format!(
        "INSERT INTO jobs (id, kind, lane, about_id, state, due_at_us, leases, failures,
        created_at_us)
        SELECT {new_id}, kind, lane, about_id, state, due_at_us - 1, leases, failures, created_at_us
        FROM jobs WHERE kind = 'close_market'"
    ));
    let count = "SELECT count(*) AS count FROM jobs WHERE kind = 'close_market'";
    assert_eq!(home.count(count), 4);
    server.start_again().await;
    let admin = admin.moved_to(server.origin());
    let ada = ada.moved_to(server.origin());
    let merged = jobs(&admin, "close_market").await;
    assert_eq!(merged.len(), 1, "{merged:#?}");
    assert_eq!((&merged[0]["marketId"], &merged[0]["dueAt"]), (&open["id"], &open["endDate"]));
    let later = json!({ "endDate": "2100-06-01T00:00:00Z" });
    let path = format!("/markets/{}", text(&open["id"]));
    send(ada.request(Method::PATCH, &path).json(&later)).await.expect(200);
    let moved = jobs(&admin, "close_market").await;
    assert_eq!((moved.len(), &moved[0]["dueAt"]), (1, &later["endDate"]), "{moved:#?}");
}
