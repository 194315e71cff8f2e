//! Tests that a client generated from `docs/openapi.json` compiles, and runs the steps of the
//! README's first page.
//!
//! `tests/client` contains the program and its lock file; its packages are installed beside the
//! built tests and kept there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use foretell_tests::{Database, Server, on_each_database, run};
use tokio::sync::OnceCell;

on_each_database!(generated_client_works);

/// Files of the program.
const FILES: [&str; 4] = ["package.json", "package-lock.json", "tsconfig.json", "first_page.ts"];

async fn generated_client_works(database: Database) {
    static PROGRAM: OnceCell<PathBuf> = OnceCell::const_new();
    let program =
        PROGRAM.get_or_init(|| async { tokio::task::spawn_blocking(built).await.unwrap() }).await;
    let mut server = Server::start(database).await;
    let mut node = Command::new("node");
    node.arg(program).arg(server.origin());
    let printed = tokio::task::spawn_blocking(move || run(&mut node)).await.unwrap();
    // The same as on the README's first page.
    assert_eq!(printed.lines().collect::<Vec<_>>(), ["949.28", "1054.16", "996.56"]);
    server.stop_cleanly().await;
}

/// Installs, generates and compiles; returns the folder of the program.
fn built() -> PathBuf {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("client");
    fs::create_dir_all(&folder).unwrap();
    let installed = folder.join("installed.json");
    let lock = fs::read(sources.join("client/package-lock.json")).unwrap();
    for file in FILES {
        fs::copy(sources.join("client").join(file), folder.join(file)).unwrap();
    }
    if fs::read(&installed).ok().as_ref() != Some(&lock) {
        run(Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(&folder));
        fs::write(&installed, &lock).unwrap();
    }
    let tool = |name: &str| {
        let mut tool = Command::new(folder.join("node_modules/.bin").join(name));
        tool.current_dir(&folder);
        tool
    };
    let document = sources.join("../docs/openapi.json");
    run(tool("openapi-typescript").arg(document).args(["--output", "api.d.ts"]));
    run(tool("tsc").args(["--project", "."]));
    folder.join("built/first_page.js")
}
