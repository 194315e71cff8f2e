//! Environment of the load: a server on a seeded database, and its signed-in users.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use foretell_tests::{Client, Database, Server};
use serde_json::Value;

use crate::http::Connection;
use crate::measure::Processes;
use crate::process::Process;
use crate::scenario::{self, PAGE_ROWS};
use crate::seed::{self, Kind, Size};

/// Number of signed-in users, who send; all others only receive.
const SIGNED_IN: u64 = 1_000;

/// User with a session.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) account_id: String,
    pub(crate) token: String,
}

/// Running server with a history, and the data that requests are made of.
pub(crate) struct World {
    server: Server,
    pub(crate) address: SocketAddr,
    pub(crate) size: Size,
    pub(crate) people: Vec<Person>,
    pub(crate) processes: Processes,
    /// Path of the page that begins halfway through all markets.
    pub(crate) halfway: String,
    /// Time from the start of the server on the seeded database until it reported that it is ready.
    pub(crate) started_in: Duration,
}

impl World {
    /// Seeds a database of this size and starts a server on it, with settings as environment
    /// variables.
    pub(crate) async fn make(
        database: Database,
        size: Size,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let mut server = Server::start_with(database, settings).await;
        server.stop_cleanly().await;
        let tokens = seed::fill(server.home(), database, size, SIGNED_IN.min(size.people))?;
        let begun = Instant::now();
        server.start_again().await;
        let started_in = begun.elapsed();
        let person =
            |(number, token)| Person { account_id: seed::id(Kind::Account, number), token };
        let people = (1..).zip(tokens).map(person).collect();
        let address =
            server.origin().trim_start_matches("http://").parse().context("no address")?;
        let halfway = walk_halfway(address, size).await?;
        let database = server.home().postgres_process_id().map(Process);
        let processes = Processes { server: Process(server.process_id()), database };
        Ok(Self { server, address, size, people, processes, halfway, started_in })
    }

    /// Returns the URL of the server's database.
    pub(crate) fn database_url(&self) -> Option<&str> {
        self.server.home().database_url()
    }

    /// Returns an admin, who was just created.
    pub(crate) async fn admin(&self) -> Client {
        self.server.admin().await
    }

    /// Stops the server and audits its ledger.
    pub(crate) async fn audit(mut self) {
        self.server.stop_cleanly().await;
        self.server.command("ledger audit").run().await.succeeded();
    }
}

/// Walks through the first half of all markets, since only the server can create the cursor of a
/// position.
async fn walk_halfway(address: SocketAddr, size: Size) -> Result<String> {
    const STEP: u64 = 100;
    let mut connection = Connection::open(address).await?;
    let (mut request, mut cursor) = (Vec::new(), String::new());
    for _ in 0..(size.markets / 2).div_ceil(STEP) {
        request.clear();
        scenario::get(&mut request, &format!("/api/v2/markets?limit={STEP}{cursor}"));
        let answer: Value = serde_json::from_slice(connection.exchange(&request).await?.body)?;
        let next = answer["meta"]["page"]["next"].as_str().context("the walk ends too early")?;
        cursor = format!("&cursor={next}");
    }
    Ok(format!("/api/v2/markets?limit={PAGE_ROWS}{cursor}"))
}
