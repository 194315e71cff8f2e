//! Support for the black-box tests: servers, clients and databases.
//!
//! A test starts the real binary on a new database, calls it over HTTP, and stops it. The
//! environment variables `FORETELL_TEST_BINARY`, `FORETELL_TEST_POSTGRES_URL` and
//! `FORETELL_TEST_POSTGRES_BIN` are required; see `scripts/test`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::print_stderr,
    clippy::return_self_not_must_use,
    reason = "support for tests fails like a test"
)]

mod chance;
mod client;
mod cluster;
mod collector;
mod database;
mod program;
mod proxy;
mod redis;
mod relay;
mod replay;
mod server;
mod tool;
mod wire;

pub use chance::Chance;
pub use client::{Answer, Client, PASSWORD, market, new_id, new_key, seconds_from_now, send, text};
pub use cluster::Cluster;
pub use collector::Collector;
pub use database::{Connections, Database, Hold, Home};
pub use program::{Finished, Program, eventually, number, size, sleep_briefly};
pub use proxy::{Cut, Proxy};
pub use redis::Redis;
pub use replay::Replay;
pub use server::{Server, Worker};
pub use tool::{python_programs, run};
pub use wire::{Condition, End, Wire};

/// Returns money in minor units as the server writes it, with two decimals.
pub fn money(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let minor = minor.unsigned_abs();
    format!("{sign}{}.{:02}", minor / 100, minor % 100)
}

/// Returns the minor units of money or shares that the server wrote with two decimals.
pub fn minor(value: &serde_json::Value) -> i64 {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no decimal text"));
    let (whole, fraction) =
        text.split_once('.').unwrap_or_else(|| panic!("{text} has no decimals"));
    assert_eq!(fraction.len(), 2, "{text} has two decimals");
    format!("{whole}{fraction}").parse().unwrap_or_else(|_| panic!("{text} is no decimal number"))
}

/// Generates a test on SQLite and one on Postgres for each `async fn name(database: Database)`.
#[macro_export]
macro_rules! on_each_database {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                super::$name($crate::Database::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                super::$name($crate::Database::Postgres).await;
            }
        }
    )+};
}
