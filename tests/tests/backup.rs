//! Tests of backups: created under load, verified, restored elsewhere, and created automatically
//! before a migration.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use foretell_tests::{Client, Database, Home, Program, Server, text};
use futures::future::join_all;
use serde_json::Value;

/// Number of clients that bet while the backup is created.
const CLIENTS: usize = 8;

/// Bets until it is stopped, and counts acknowledged bets.
async fn bet_on(client: &Client, market: &Value, is_over: &AtomicBool, acknowledged: &AtomicU64) {
    while !is_over.load(Ordering::SeqCst) {
        client.bet(market, 0, "0.01").await.expect(201);
        acknowledged.fetch_add(1, Ordering::SeqCst);
    }
}

async fn backup(server: &Server, file: &Path) -> String {
    server.command(&format!("backup create --to {}", file.display())).run().await.succeeded().stdout
}

#[tokio::test]
async fn backup_under_load_has_acknowledged_bets() {
    let server = Server::start(Database::Sqlite).await;
    let ada = server.register("ada").await;
    let market = ada.open_market(&["Yes", "No"], "10").await;
    let clients: Vec<_> =
        join_all((0..CLIENTS).map(|_| ada.log_in("ada@example.org", "correct horse battery")))
            .await;
    let (is_over, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
    let file = server.home().path().join("copy.db");
    let bets =
        join_all(clients.iter().map(|client| bet_on(client, &market, &is_over, &acknowledged)));
    let copy = async {
        while acknowledged.load(Ordering::SeqCst) < 50 {
            tokio::task::yield_now().await;
        }
        let before = acknowledged.load(Ordering::SeqCst);
        let told = backup(&server, &file).await;
        is_over.store(true, Ordering::SeqCst);
        assert!(
            told.contains("is a good backup") && told.contains("the ledger is sound"),
            "{told}"
        );
        before
    };
    let (_, before) = tokio::join!(bets, copy);

    let elsewhere = Home::new(Database::Sqlite);
    let restore = Program::new(&elsewhere).arguments(&format!("backup restore {}", file.display()));
    let told = restore.run().await.succeeded().stdout;
    assert!(told.contains("is restored"), "{told}");
    let restored = Server::start_in(elsewhere, &[]).await;
    restored.admin().await.check_audit().await;
    let path = format!("/markets/{}", text(&market["id"]));
    let bets = restored.client().get(&path).await.data(200)["betCount"].as_u64().unwrap();
    assert!(
        bets >= before && bets <= acknowledged.load(Ordering::SeqCst),
        "{bets}, {before} before"
    );
}

#[tokio::test]
async fn restore_requires_closed_database() {
    let mut server = Server::start(Database::Sqlite).await;
    server.register("ada").await;
    let file = server.home().path().join("copy.db");
    backup(&server, &file).await;
    server.register("ben").await;
    let restore = server.command(&format!("backup restore {}", file.display()));
    restore.run().await.failed(&["in use", "stop the server"]);
    server.stop_cleanly().await;
    let told = restore.run().await.succeeded().stdout;
    let aside =
        told.lines().find_map(|line| line.strip_prefix("what was there before is at ")).unwrap();
    assert!(server.home().path().join(aside).exists(), "{told}");
    server.start_again().await;
    let users = server.admin().await.all("/users").await;
    let names: Vec<_> = users.iter().map(|user| text(&user["name"])).collect();
    assert!(names.contains(&"ada".to_owned()) && !names.contains(&"ben".to_owned()), "{names:?}");
}

#[tokio::test]
async fn damaged_backup_is_not_restored() {
    let mut server = Server::start(Database::Sqlite).await;
    let ada = server.register("ada").await;
    ada.open_market(&["Yes", "No"], "10").await;
    let file = server.home().path().join("copy.db");
    backup(&server, &file).await;
    let length = fs::metadata(&file).unwrap().len();
    let mut damaged = fs::OpenOptions::new().write(true).open(&file).unwrap();
    damaged.seek(SeekFrom::Start(length / 2)).unwrap();
    damaged.write_all(&vec![0xAA; 20_000]).unwrap();
    drop(damaged);
    let verify = server.command(&format!("backup verify {}", file.display()));
    assert!(!verify.run().await.status.success());
    server.stop_cleanly().await;
    let restore = server.command(&format!("backup restore {}", file.display()));
    restore.run().await.failed(&["nothing was restored"]);
    server.start_again().await;
    ada.moved_to(server.origin()).get("/me").await.expect(200);
}

/// Returns SQL that reverts the newest migration.
fn undo_newest_migration() -> String {
    let folders = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/sqlite"));
    let newest = folders.unwrap().map(|entry| entry.unwrap().path()).max().unwrap();
    let undo = fs::read_to_string(newest.join("down.sql")).unwrap();
    undo + "DELETE FROM __diesel_schema_migrations
        WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)"
}

#[tokio::test]
async fn backup_is_created_before_migration() {
    let mut server = Server::start(Database::Sqlite).await;
    server.register("ada").await;
    server.stop_cleanly().await;
    // As an older program has left it.
    server.home().execute(&undo_newest_migration());
    let backups = || -> Vec<PathBuf> {
        let folder = fs::read_dir(server.home().data_dir().join("backups"));
        folder.map_or_else(|_| Vec::new(), |files| files.map(|file| file.unwrap().path()).collect())
    };
    assert!(backups().is_empty());
    server.command("migrate").run().await.succeeded();
    let made = backups();
    assert_eq!(made.len(), 1, "{made:?}");
    assert!(
        made[0].file_name().unwrap().to_string_lossy().starts_with("before-migration-"),
        "{made:?}"
    );
    server.command(&format!("backup verify {}", made[0].display())).run().await.succeeded();
    server.command("migrate").run().await.succeeded();
    assert_eq!(backups().len(), 1, "where nothing is to be done there is no backup");
    server.start_again().await;
}

#[tokio::test]
async fn backup_of_postgres_is_rejected() {
    let server = Server::start(Database::Postgres).await;
    server.command("backup create").run().await.failed(&["Postgres", "docs/backup.md"]);
}
