//! Jobs that cannot be done: of unknown kinds, in a lane that is stuck, and emails that are refused.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "what serves tests fails like a test")]

use std::collections::BTreeSet;

use foretell_tests::{Client, Database, Server, eventually, new_id, on_each_database, text};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};

on_each_database!(job_of_an_unknown_kind_is_given_up_alone, refused_email_is_not_sent_again);

/// Jobs are looked for often.
const BRISK: [(&str, &str); 1] = [("FORETELL__JOBS__POLL_MS", "50")];

/// The jobs of a kind, newest first.
async fn jobs(admin: &Client, kind: &str) -> Vec<Value> {
    let listed = admin.get(&format!("/admin/jobs?kind={kind}&limit=100")).await.data(200);
    listed.as_array().unwrap().clone()
}

/// Adds a job that is due, behind the server's back.
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

async fn job_of_an_unknown_kind_is_given_up_alone(database: Database) {
    let server = Server::start_with(database, &BRISK).await;
    let admin = server.admin().await;
    // Of a version to come in both lanes, and one without the ids that its kind has.
    let (later, webhooks, idless) = (new_id(), new_id(), new_id());
    add_job(&server, &later, "send_pigeon", "main");
    add_job(&server, &webhooks, "send_pigeon", "webhooks");
    add_job(&server, &idless, "close_market", "main");
    let dead = async || {
        eventually("the jobs to be given up", async || {
            let dead = admin.get("/admin/jobs?state=dead").await.data(200).as_array().unwrap().clone();
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
async fn lane_that_cannot_take_up_its_jobs_is_down() {
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

async fn refused_email_is_not_sent_again(database: Database) {
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
    let ended = eventually("the letters to be sent or given up", async || {
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

/// A mail server that takes every email but those to ada.
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
