//! Tests that `deploy/` matches the binary: it uses existing settings only.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use foretell_tests::{Database, Home, Program, Server};

const CONTAINER: &str = include_str!("../../deploy/Containerfile");
const COMPOSE: &str = include_str!("../../deploy/compose.yaml");
const UNIT: &str = include_str!("../../deploy/foretell.service");
const ENVIRONMENT: &str = include_str!("../../deploy/foretell.env.example");

/// Returns the variables that a file sets, as `NAME=value` or `NAME: value`.
fn variables(text: &str) -> Vec<(String, String)> {
    let setting = |line: &str| {
        let begin = line.find("FORETELL_")?;
        let end = line[begin..].find(['=', ':'])? + begin;
        let value = line[end + 1..].trim().trim_end_matches('\\').trim().trim_matches('"');
        Some((line[begin..end].to_owned(), value.to_owned()))
    };
    text.lines().filter_map(setting).collect()
}

#[tokio::test]
async fn packages_use_existing_settings() {
    let home = Home::new(Database::Sqlite);
    for (file, text, least) in [
        ("Containerfile", CONTAINER, 3),
        ("compose.yaml", COMPOSE, 1),
        ("foretell.service", UNIT, 2),
        ("foretell.env.example", ENVIRONMENT, 5),
    ] {
        let variables = variables(text);
        assert!(variables.len() >= least, "{file}: {variables:?}");
        let mut check = Program::new(&home).arguments("config check");
        for (name, value) in variables {
            check = check.variable(&name, value);
        }
        check.run().await.succeeded();
    }
}

#[tokio::test]
async fn image_health_check_reports_readiness() {
    let mut server = Server::start(Database::Sqlite).await;
    let address = server.origin().trim_start_matches("http://").to_owned();
    let check = server.command("healthcheck").variable("FORETELL__SERVER__BIND", address);
    let told = check.run().await.succeeded().stdout;
    assert!(told.contains("\"writer\":{\"status\":\"ok\"}"), "{told}");
    server.stop_cleanly().await;
    check.run().await.failed(&["no response from"]);
}
