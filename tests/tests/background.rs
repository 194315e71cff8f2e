//! Tests of jobs, emails and webhooks of the real binary: with a real mail server, a receiver that
//! verifies signatures with the published library, and workers that are killed.
//!
//! `FORETELL_TEST_WORKER_KILLS` is the number of workers to kill.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use foretell_tests::{
    Client, Database, Home, Server, eventually, on_each_database, python_programs,
    seconds_from_now, size, text,
};
use futures::future::join_all;
use serde_json::{Value, json};

on_each_database!(
    emails_are_sent_once_after_outage,
    webhook_signatures_pass_published_library,
    killed_workers_complete_jobs_once,
);

/// Settings with short leases, so that jobs of killed workers are retried soon.
const BRISK: [(&str, &str); 2] =
    [("FORETELL__JOBS__LEASE_S", "1"), ("FORETELL__JOBS__POLL_MS", "50")];

/// A Python program that runs until the test ends.
struct Helper {
    child: Child,
    /// First line that it printed.
    said: String,
}

impl Helper {
    /// Starts it and waits for its first line, if it prints one.
    fn start(command: &mut Command, speaks: bool) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        if speaks {
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        }
        Self { child, said: said.trim().to_owned() }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Returns the folder of the Python programs, installed once.
fn programs() -> &'static Path {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let requirements =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("background/requirements.txt");
        python_programs(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("background"), &requirements)
    })
}

/// Returns the jobs of a kind, newest first.
async fn jobs(admin: &Client, kind: &str) -> Vec<Value> {
    let listed = admin.get(&format!("/admin/jobs?kind={kind}&limit=100")).await.data(200);
    listed.as_array().unwrap().clone()
}

/// Returns a free port.
fn spare_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn emails_are_sent_once_after_outage(database: Database) {
    let port = spare_port().to_string();
    let settings = [
        BRISK[1],
        // However long the mail server takes to start.
        ("FORETELL__JOBS__WELCOME_MAIL__ATTEMPTS", "100"),
        ("FORETELL__JOBS__WELCOME_MAIL__FACTOR", "1"),
        ("FORETELL__MAIL__TRANSPORT", "smtp"),
        ("FORETELL__MAIL__SMTP_HOST", "127.0.0.1"),
        ("FORETELL__MAIL__SMTP_PORT", &port),
        ("FORETELL__MAIL__SMTP_TLS", "none"),
    ];
    let server = Server::start_with(database, &settings).await;
    let admin = server.admin().await;
    server.register("ada").await;
    // The first two attempts at each email get no response.
    eventually("two attempts to fail", async || {
        let jobs = jobs(&admin, "welcome_mail").await;
        jobs.iter().all(|job| job["failures"].as_i64() >= Some(2)).then_some(())
    })
    .await;
    let mail = async || admin.get("/readyz").await.data(200)["checks"]["mail"]["status"].clone();
    assert_eq!(mail().await, "degraded", "emails do not leave, and all else goes on");
    let folder = server.home().path().join("mail");
    let mut aiosmtpd = Command::new(programs().join("python"));
    aiosmtpd.args(["-m", "aiosmtpd", "--nosetuid", "--listen", &format!("127.0.0.1:{port}")]);
    let _mail_server =
        Helper::start(aiosmtpd.args(["--class", "aiosmtpd.handlers.Mailbox"]).arg(&folder), false);
    eventually("the emails to leave", async || {
        let jobs = jobs(&admin, "welcome_mail").await;
        jobs.iter().all(|job| job["state"] == "done").then_some(())
    })
    .await;
    assert_eq!(mail().await, "ok");
    let again =
        json!({ "email": "ada@example.org", "name": "Ada", "password": "correct horse ada" });
    server.client().post("/users", again).await.refused(409, "DUPLICATE");
    let emails = fs::read_dir(folder.join("new")).unwrap();
    let emails: Vec<_> =
        emails.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let to: BTreeSet<_> =
        emails.iter().filter_map(|email| email.lines().find(|l| l.starts_with("To:"))).collect();
    assert_eq!((emails.len(), to.len()), (2, 2), "{emails:#?}");
    assert!(
        emails.iter().all(|email| email.contains("Subject: Welcome to Foretell")),
        "{emails:#?}"
    );
    assert_eq!(
        jobs(&admin, "welcome_mail").await.len(),
        2,
        "who could not register is not written to"
    );
}

/// Returns the messages that a receiver has verified: ids and bodies, in order.
fn received(file: &Path) -> Vec<Value> {
    let lines = fs::read_to_string(file).unwrap_or_default();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn webhook_signatures_pass_published_library(database: Database) {
    let settings = [BRISK[1], ("FORETELL__WEBHOOKS__ALLOW_PRIVATE", "true")];
    let server = Server::start_with(database, &settings).await;
    let (admin, ada) = (server.admin().await, server.register("ada").await);
    let ben = server.register("ben").await;
    let [secret, messages] = ["secret", "messages"].map(|name| server.home().path().join(name));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("background/receiver.py");
    let mut receiver = Command::new(programs().join("python"));
    let receiver = Helper::start(receiver.arg(script).args([&secret, &messages]).arg("1"), true);

    let url = format!("http://127.0.0.1:{}/hook", receiver.said);
    let new = json!({ "url": url, "events": ["market.trade", "market.status"] });
    let webhook = admin.post("/webhooks", new).await.data(201);
    fs::write(&secret, text(&webhook["secret"])).unwrap();

    let market = ada.open_market(&["Yes", "No"], "100.00").await;
    ben.bet(&market, 0, "5.00").await.expect(201);
    ben.bet(&market, 1, "5.00").await.expect(201);
    let path = format!("/markets/{}/resolution", text(&market["id"]));
    let winner = json!({ "optionId": market["options"][0]["id"] });
    ada.post(&path, winner).await.expect(200);

    // The first of them was rejected once.
    let got = eventually("all messages to arrive", async || {
        let got = received(&messages);
        (got.len() >= 4).then_some(got)
    })
    .await;
    let id = text(&market["id"]);
    let ids: Vec<_> = got.iter().map(|message| text(&message["id"])).collect();
    assert_eq!(
        ids,
        ["0-open", "1-open", "2-open", "2-resolved"].map(|place| format!("{id}-{place}"))
    );
    let bets = ada.get(&format!("/markets/{id}/bets")).await.data(200);
    for (message, bet) in got[1..3].iter().zip([&bets[1], &bets[0]]) {
        assert_eq!(message["body"]["type"], "market.trade");
        assert_eq!(&message["body"]["data"], bet, "it is shown as elsewhere");
    }
    assert_eq!(got[3]["body"]["data"]["status"], "resolved");

    // The old secret is still valid, and so is the new one immediately.
    let webhook_path = format!("/webhooks/{}", text(&webhook["id"]));
    let rotated = admin.post(&format!("{webhook_path}/secret"), json!({})).await.data(200);
    for known in [&webhook["secret"], &rotated["secret"]] {
        fs::write(&secret, text(known)).unwrap();
        let tested = admin.post(&format!("{webhook_path}/test"), json!({})).await.data(200);
        assert_eq!(tested, json!({ "isDelivered": true, "failure": null }));
    }
    fs::write(&secret, "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=").unwrap();
    let tested = admin.post(&format!("{webhook_path}/test"), json!({})).await.data(200);
    assert_eq!(tested["failure"], "the receiver answered 400");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn private_webhook_addresses_require_setting() {
    let server = Server::start(Database::Sqlite).await;
    let admin = server.admin().await;
    for url in [
        "http://example.org/",
        "https://127.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://0x7f.1/",
    ] {
        let refused =
            admin.post("/webhooks", json!({ "url": url, "events": ["market.status"] })).await;
        assert_eq!(refused.refused(400, "VALIDATION_ERROR").field_errors()[0].0, "url");
    }
    // A name that resolves to one is detected while connecting.
    let new = json!({ "url": "https://localhost/", "events": ["market.status"] });
    let webhook = admin.post("/webhooks", new).await.data(201);
    let tested =
        admin.post(&format!("/webhooks/{}/test", text(&webhook["id"])), json!({})).await.data(200);
    let failure = "nothing may be sent there: its name stands for no public address";
    assert_eq!(tested, json!({ "isDelivered": false, "failure": failure }));
}

async fn killed_workers_complete_jobs_once(database: Database) {
    let kills = size("FORETELL_TEST_WORKER_KILLS", 3, 100);
    // One user creates many small markets.
    let quotas =
        [("FORETELL__QUOTAS__OPEN_MARKETS", "1000000"), ("FORETELL__QUOTAS__MIN_SUBSIDY", "0.10")];
    let settings = [BRISK.as_slice(), &quotas].concat();
    let server = Server::start_without_worker(Home::new(database), &settings).await;
    let (admin, ada) = (server.admin().await, server.register("ada").await);
    let mut body = foretell_tests::market(&["Yes", "No"], "0.10");
    // Late enough to create all of them first.
    let seconds = i64::try_from(5 + kills / 5).unwrap();
    body["endDate"] = json!(seconds_from_now(seconds));
    let mut markets = BTreeMap::new();
    for _ in 0..kills {
        let opened = join_all((0..40).map(|_| ada.post("/markets", body.clone()))).await;
        let opened = opened.into_iter().map(|answer| answer.data(201));
        markets.extend(opened.map(|market| (text(&market["id"]), market)));
    }
    for kill in 1..=kills {
        let before = count(&admin, "done").await;
        let worker = server.start_worker().await;
        // In the middle: some of the jobs are done, and others are running.
        eventually("a worker to do a job", async || {
            (count(&admin, "done").await > before).then_some(())
        })
        .await;
        worker.kill();
        let done = usize::try_from(count(&admin, "done").await).unwrap();
        assert!(kill == kills || done < markets.len(), "it is killed in the middle");
    }
    let worker = server.start_worker().await;
    eventually("everything to be done", async || {
        let is_open = count(&admin, "waiting").await + count(&admin, "running").await > 0;
        (!is_open).then_some(())
    })
    .await;
    worker.stop().await;
    for (id, opened) in &markets {
        let market = ada.get(&format!("/markets/{id}")).await.data(200);
        assert_eq!(market["status"], "closed");
        let once = opened["version"].as_i64().unwrap() + 1;
        assert_eq!(market["version"].as_i64(), Some(once), "closed once: {market}");
    }
    assert_eq!(count(&admin, "dead").await, 0);
    admin.check_audit().await;
}

/// Returns the number of markets closed by jobs in this state.
async fn count(admin: &Client, state: &str) -> u64 {
    let answer =
        admin.get(&format!("/admin/jobs?kind=close_market&state={state}")).await.expect(200);
    answer.body["meta"]["pagination"]["total"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn periodic_jobs_run_once_per_period() {
    let home = Home::new(Database::Postgres);
    let url = home.database_url().unwrap().to_owned();
    let first = Server::start_in(home, &BRISK).await;
    let admin = first.admin().await;
    let second = [BRISK[0], BRISK[1], ("DATABASE_URL", &url)];
    let second = Server::start_with(Database::Sqlite, &second).await;
    eventually("both nodes to have worked", async || {
        let all_done = jobs(&admin, "purge_jobs").await.iter().all(|job| job["state"] == "done");
        all_done.then_some(())
    })
    .await;
    for kind in ["purge_jobs", "purge_sessions", "purge_outcomes"] {
        let jobs = jobs(&admin, kind).await;
        // The period may have changed between the starts; each period has one.
        let length = if kind == "purge_outcomes" { 15 } else { 13 };
        let ticks: BTreeSet<_> =
            jobs.iter().map(|job| text(&job["createdAt"])[..length].to_owned()).collect();
        assert_eq!(jobs.len(), ticks.len(), "{kind}: {jobs:#?}");
    }
    drop(second);
}
