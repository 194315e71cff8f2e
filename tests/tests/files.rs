//! Tests of the permissions of files that the program writes, and of deleted data in them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use foretell_tests::{Database, Home, Program, Server, eventually, new_id, text};
use serde_json::{Value, json};

/// Returns the permissions of a path and of everything below it.
fn modes(path: &Path) -> Vec<(PathBuf, u32)> {
    let metadata = fs::metadata(path).unwrap();
    let mut found = vec![(path.to_owned(), metadata.permissions().mode() & 0o777)];
    if metadata.is_dir() {
        found.extend(fs::read_dir(path).unwrap().flat_map(|entry| modes(&entry.unwrap().path())));
    }
    found
}

/// Checks that only the owner may access a path and everything below it.
fn assert_private(path: &Path) {
    for (path, mode) in modes(path) {
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Returns the doctor's finding about the permissions of files.
async fn finding(server: &Server) -> Value {
    let findings = server.command("doctor --json").run().await.succeeded().stdout;
    let findings: Vec<Value> = serde_json::from_str(&findings).unwrap();
    findings.into_iter().find(|finding| finding["check"] == "files").unwrap()
}

#[tokio::test]
async fn everything_written_is_private() {
    let server = Server::start(Database::Sqlite).await;
    server.register("ada").await;
    let (data, export) = (server.home().data_dir(), server.home().path().join("bets.jsonl"));
    let outbox = data.join("outbox");
    eventually("an email in the outbox", async || {
        fs::read_dir(&outbox).ok()?.flatten().find(|entry| entry.path().extension().is_some())
    })
    .await;
    server.command("backup create").run().await.succeeded();
    server.command(&format!("export bets --to {}", export.display())).run().await.succeeded();

    let found: Vec<_> = modes(&data).into_iter().map(|(path, _)| path).collect();
    for name in ["foretell.db", "foretell.db-wal", "backups", "outbox"] {
        assert!(found.contains(&data.join(name)), "{name} is missing in {found:?}");
    }
    assert_private(&data);
    assert_private(&export);
}

#[tokio::test]
async fn old_emails_are_deleted_from_the_outbox() {
    let home = Home::new(Database::Sqlite);
    let outbox = home.data_dir().join("outbox");
    fs::create_dir_all(&outbox).unwrap();
    let email = |age_days: u64| {
        let file = outbox.join(format!("{}.eml", new_id()));
        let written = SystemTime::now() - Duration::from_hours(24 * age_days);
        fs::File::create(&file).unwrap().set_modified(written).unwrap();
        file
    };
    let (old, new) = (email(31), email(29));
    let _server = Server::start_in(home, &[]).await;
    eventually("the old email to be deleted", async || (!old.exists()).then_some(())).await;
    assert!(new.exists());
}

#[tokio::test]
async fn deleted_text_is_overwritten_in_the_database() {
    let mut server = Server::start(Database::Sqlite).await;
    let ada = server.register("ada").await;
    let memo = "zanzibar".repeat(20);
    let comment = ada.open_market(&["Yes", "No"], "10").await;
    let path = format!("/markets/{}/comments", text(&comment["id"]));
    let comment = ada.post(&path, json!({"content": memo})).await.data(201);
    let is_in_file = |server: &Server| {
        // Moves all data from the write-ahead log to the file.
        server.home().execute("PRAGMA wal_checkpoint(TRUNCATE)");
        let bytes = fs::read(server.home().sqlite_file()).unwrap();
        bytes.windows(memo.len()).any(|window| window == memo.as_bytes())
    };
    server.stop_cleanly().await;
    assert!(is_in_file(&server));
    server.start_again().await;
    let ada = server.client().log_in("ada@example.org", "correct horse battery").await;
    ada.delete(&format!("/comments/{}", text(&comment["id"]))).await.expect(204);
    server.stop_cleanly().await;
    assert!(!is_in_file(&server));
}

#[tokio::test]
async fn restored_database_is_private() {
    let server = Server::start(Database::Sqlite).await;
    let file = server.home().path().join("copy.db");
    server.command(&format!("backup create --to {}", file.display())).run().await.succeeded();
    set_mode(&file, 0o644);
    let elsewhere = Home::new(Database::Sqlite);
    let restore = Program::new(&elsewhere).arguments(&format!("backup restore {}", file.display()));
    restore.run().await.succeeded();
    assert_private(&elsewhere.data_dir());
}

#[tokio::test]
async fn doctor_repairs_modes_by_its_command() {
    let mut server = Server::start(Database::Sqlite).await;
    server.command("backup create").run().await.succeeded();
    server.stop_cleanly().await;
    assert_eq!(finding(&server).await["state"], "ok");

    let data = server.home().data_dir();
    for path in [data.join("foretell.db"), data.join("backups"), data.clone()] {
        let mode = modes(&path)[0].1;
        set_mode(&path, mode | 0o044);
        let found = finding(&server).await;
        assert_eq!(found["state"], "warning", "{found}");
        let command = found["mend"].as_str().unwrap();
        let done =
            Command::new("sh").args(["-c", command]).current_dir(server.home().path()).status();
        assert!(done.unwrap().success(), "{command}");
        assert_eq!(finding(&server).await["state"], "ok", "after {command}");
        assert_private(&data);
    }
}
