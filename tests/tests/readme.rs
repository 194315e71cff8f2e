//! Tests that the README's first page works as written.

use std::process::Command;

use foretell_tests::{Database, Server, on_each_database};

on_each_database!(first_page_works);

const README: &str = include_str!("../../README.md");

async fn first_page_works(database: Database) {
    let mut server = Server::start(database).await;
    let binary = std::env::var("FORETELL_TEST_BINARY").expect("scripts/test names the binary");
    let page = first_page()
        .replace("http://127.0.0.1:8080", server.origin())
        .replace("cargo run --release --quiet --", &binary);
    let mut bash = Command::new("bash");
    bash.args(["-eu", "-o", "pipefail", "-c", &page]).current_dir(server.home().path());
    bash.envs(server.home().database_url().map(|url| ("DATABASE_URL", url)));
    let output = tokio::task::spawn_blocking(move || bash.output()).await.unwrap().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{printed}\n{errors}");
    let answers: Vec<_> = printed.lines().filter(|line| line.starts_with('{')).collect();
    assert_eq!(answers.len(), 15, "{printed}");
    for answer in answers {
        assert!(answer.starts_with(r#"{"success":true,"#), "{answer}");
    }
    // Final balances of Ada, Ben and Cleo: the creator has lost less than the subsidy, and nobody
    // else pays for Ben.
    for balance in ["949.28", "1054.16", "996.56", "the ledger is sound"] {
        assert!(printed.contains(balance), "{balance} is not in\n{printed}");
    }
    server.stop_cleanly().await;
}

/// Returns the commands in the blocks of the first page.
fn first_page() -> String {
    let page = README.split("<!-- first page -->").nth(1).expect("the README has a first page");
    let page = page.split("<!-- end of first page -->").next().unwrap_or_default();
    let mut script = String::new();
    let mut is_code = false;
    for line in page.lines() {
        if line.starts_with("```") {
            is_code = line == "```bash";
        } else if is_code {
            script.push_str(line);
            script.push('\n');
        }
    }
    script
}
