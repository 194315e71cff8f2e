//! Hostile load: how long other requests take while attackers send the most expensive requests there are.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use foretell_tests::{Client, Database, Server, market, text};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::load::{self, Load, Requests, Tally};
use crate::report::remark;

/// An attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Attack {
    /// Searches of long posts
    Searches,
}

impl Attack {
    /// All of them.
    pub(crate) const ALL: [Self; 1] = [Self::Searches];
}

/// How an attack is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// How many connections attack.
    pub(crate) connections: usize,
    /// How many posts of 50,000 characters there are.
    pub(crate) posts: usize,
    /// How long each kind of request is counted.
    pub(crate) counted: Duration,
}

/// How long each kind of request is sent before it is counted.
const WARM_UP: Duration = Duration::from_secs(1);

/// Measures other requests idle and under attack.
pub(crate) fn measure(database: Database, attack: Attack, plan: Plan) -> Result<()> {
    remark(&format!("\n{database:?}, {attack:?}, {} connections, {} posts", plan.connections, plan.posts));
    let runtime = Runtime::new()?;
    let server =
        runtime.block_on(Server::start_with(database, &[("FORETELL__ACCOUNTS__SIGNUP_GRANT", "1000000")]));
    let address = server.origin().trim_start_matches("http://").parse().context("no address")?;
    let reads = runtime.block_on(seed(&server, plan.posts))?;
    let idle = measure_reads(address, &reads, plan)?;
    let requests = match attack {
        Attack::Searches => searches(),
    };
    let during = WARM_UP + (WARM_UP + plan.counted) * u32::try_from(reads.len())? + WARM_UP;
    let attackers = Load { address, connections: plan.connections, warm_up: WARM_UP, counted: during };
    let attackers =
        thread::spawn(move || load::run(attackers, |number| in_turn(requests.clone(), number), || {}));
    thread::sleep(WARM_UP);
    let attacked = measure_reads(address, &reads, plan)?;
    let attackers = attackers.join().map_err(|_| anyhow::anyhow!("the attackers panicked"))??;
    for ((path, idle), attacked) in reads.iter().zip(&idle).zip(&attacked) {
        let at = |tally: &Tally, share: f64| tally.latencies_us.value_at_quantile(share) as f64 / 1e3;
        remark(&format!(
            "{path:<40} idle p50 {:>6.2} p99 {:>6.2} ms, under attack p50 {:>6.2} p99 {:>6.2} ms, {:?}",
            at(idle, 0.5),
            at(idle, 0.99),
            at(attacked, 0.5),
            at(attacked, 0.99),
            attacked.statuses,
        ));
    }
    remark(&format!("the attackers got {:?}", attackers.statuses));
    runtime.block_on(async move {
        let mut server = server;
        server.stop_cleanly().await;
    });
    Ok(())
}

/// Writes long posts and a market, and returns the paths of the reads that are measured.
async fn seed(server: &Server, posts: usize) -> Result<Vec<String>> {
    let ada = server.register("ada").await;
    for number in 0..posts {
        let post = json!({
            "title": format!("Long post {number}"), "content": long_text(number), "published": true
        });
        let answer = ada.post("/posts", post).await;
        ensure!(answer.status == 201, "{answer:?}");
    }
    let opened = open(&ada).await;
    Ok(vec![
        "/livez".to_owned(),
        "/readyz".to_owned(),
        "/api/v1/markets".to_owned(),
        format!("/api/v1/markets/{opened}"),
        format!("/api/v1/markets/{opened}/bets"),
        "/api/v1/posts?fields=id,title&limit=10".to_owned(),
    ])
}

async fn open(creator: &Client) -> String {
    text(&creator.post("/markets", market(&["Yes", "No"], "100")).await.data(201)["id"])
}

/// Texts of 50,000 characters, each hostile to another step of a search.
fn long_text(number: usize) -> String {
    let words = ["rain", "snow", "hail", "wind", "school", "harbour", "election"];
    let text = match number % 4 {
        0 => "a".repeat(49_000) + "b",
        1 => "a ".repeat(24_000),
        2 => "雨".repeat(16_000),
        _ => (0..7_000).map(|word| words[(word * 7 + number) % words.len()]).collect::<Vec<_>>().join(" "),
    };
    // No two posts are alike.
    format!("{text} {number}")
}

/// The most expensive searches that are known.
fn searches() -> Vec<String> {
    let distinct: Vec<_> = (0..32).map(|number| format!("a{number}")).collect();
    let queries = [
        "a".repeat(498) + "b",
        "a".repeat(99) + "b",
        "rain or ".repeat(31) + "rain",
        "rain snow hail wind school harbour election -sun".to_owned(),
        "rain or snow or hail or wind or school or harbour or election".to_owned(),
        distinct.join(" or "),
        format!("\"{}b\"", "a ".repeat(31)),
        "雨".repeat(500),
        "aaa aab aba".to_owned(),
        "zz".to_owned(),
        "%".to_owned(),
    ];
    let encoded = queries.iter().map(|query| {
        let bytes = query.bytes().map(|byte| format!("%{byte:02X}"));
        bytes.collect::<String>()
    });
    let paths = encoded.flat_map(|query| {
        ["posts", "markets"].map(|list| format!("/api/v1/{list}/search?limit=100&q={query}"))
    });
    paths.collect()
}

/// Reads one path after another, each for the same time on one connection.
fn measure_reads(address: SocketAddr, paths: &[String], plan: Plan) -> Result<Vec<Tally>> {
    let load = Load { address, connections: 1, warm_up: WARM_UP, counted: plan.counted };
    paths.iter().map(|path| load::run(load, |_| in_turn(vec![path.clone()], 0), || {})).collect()
}

/// Sends `GET` requests of these paths in turn.
fn in_turn(paths: Vec<String>, first: usize) -> Requests {
    let mut next = first;
    Box::new(move |request| {
        let path = &paths[next % paths.len()];
        next += 1;
        request.extend_from_slice(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
    })
}
