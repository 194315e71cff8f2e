//! Tests of a Redis that fails in every way under load, and of nodes that share one: no request
//! fails, and no client reads a market older than its own last bet.
//!
//! `FORETELL_TEST_SHARED_BETS` is the number of bets on two nodes; `FORETELL_TEST_REDIS_FAULT_MS`
//! is the duration of each fault.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "what serves tests fails like a test"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use foretell_tests::{
    Client, Database, Home, PASSWORD, Redis, Server, eventually, new_key, size, text,
};
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// Number of concurrent clients that read and bet.
const CLIENTS: usize = 32;

/// Name of a fault, its start, and its end.
type Fault = (&'static str, fn(&mut Redis), fn(&mut Redis));

const FAULTS: [Fault; 5] = [
    ("stopped", Redis::kill, |_| ()),
    ("frozen", |redis| redis.freeze(), |redis| redis.thaw()),
    ("flushed", |redis| drop(redis.tell(&["FLUSHALL"])), |_| ()),
    ("slow", Redis::slow_down, Redis::speed_up),
    ("full of wrong types", fill_with_wrong_types, |redis| drop(redis.tell(&["FLUSHALL"]))),
];

/// Replaces all keys by lists.
fn fill_with_wrong_types(redis: &mut Redis) {
    let answer = redis.tell(&["KEYS *"]);
    let keys: Vec<_> = answer.lines().filter(|line| line.starts_with("foretell:")).collect();
    assert!(!keys.is_empty(), "there is something in Redis: {answer}");
    for key in keys {
        redis.tell(&[&format!("DEL {key}"), &format!("RPUSH {key} wrong")]);
    }
}

/// Clients that read and bet until they are stopped.
struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Vec<Duration>>>,
}

impl Load {
    fn start(clients: &[Client], market: &Value) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let run = |client: &Client| {
            let (client, market, stop) = (client.clone(), market.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut took = Vec::new();
                let path = format!("/markets/{}", text(&market["id"]));
                while !stop.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    client.get(&path).await.expect(200);
                    took.push(begun.elapsed());
                    let bet = json!({ "optionId": market["options"][0]["id"], "amount": "0.05" });
                    client.post_once(&format!("{path}/bets"), &new_key(), bet).await.expect(201);
                }
                took
            })
        };
        Self { clients: clients.iter().map(run).collect(), stop }
    }

    /// Stops them, checks that no request was rejected, and returns the sorted durations of reads.
    async fn stop(self) -> Vec<Duration> {
        self.stop.store(true, Ordering::Relaxed);
        let took = join_all(self.clients).await;
        let mut took: Vec<_> = took.into_iter().flat_map(Result::unwrap).collect();
        took.sort_unstable();
        took
    }
}

fn p99(took: &[Duration]) -> Duration {
    took[took.len() * 99 / 100]
}

/// Returns the Redis check of `GET /readyz`.
async fn redis_check(server: &Server) -> Value {
    server.client().get("/readyz").await.expect(200).body["data"]["checks"]["redis"]["status"]
        .clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_succeed_when_redis_fails() {
    let fault_for = size("FORETELL_TEST_REDIS_FAULT_MS", 700, 10_000);
    let fault_for = Duration::from_millis(fault_for.try_into().unwrap());
    let mut redis = Redis::start().await;
    let url = redis.url();
    let settings = [
        ("REDIS_URL", url.as_str()),
        ("FORETELL__LIMITS__READ", "1000000"),
        ("FORETELL__LIMITS__WRITE", "1000000"),
    ];
    let server = Server::start_with(Database::Postgres, &settings).await;
    let mut clients = Vec::new();
    for n in 0..CLIENTS {
        clients.push(server.register(&format!("user{n}")).await);
    }
    let market = clients[0].open_market(&["Yes", "No"], "100.00").await;
    for (name, break_it, mend_it) in FAULTS {
        let load = Load::start(&clients, &market);
        tokio::time::sleep(fault_for).await;
        let before = load.stop().await;

        let load = Load::start(&clients, &market);
        break_it(&mut redis);
        tokio::time::sleep(fault_for).await;
        mend_it(&mut redis);
        let during = load.stop().await;
        println!(
            "{name}: {} reads, p99 {:?}, before {:?}",
            during.len(),
            p99(&during),
            p99(&before)
        );

        // Local limits apply, and signed-in users stay signed in.
        let limited = clients[1].get("/me").await.expect(200);
        assert!(limited.header("ratelimit").is_some(), "{name}: {limited:#?}");
        if name == "stopped" {
            redis.start_again().await;
        }
        eventually("Redis to be used again", async || {
            (redis_check(&server).await == "ok").then_some(())
        })
        .await;
        clients[1].get(&format!("/markets/{}", text(&market["id"]))).await.expect(200);
    }
    server.admin().await.check_audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn own_bets_are_always_visible() {
    let bets = size("FORETELL_TEST_SHARED_BETS", 100, 10_000);
    let redis = Redis::start().await;
    let home = Home::new(Database::Postgres);
    let (database, url) = (home.database_url().unwrap().to_owned(), redis.url());
    let first = Server::start_in(home, &[("REDIS_URL", &url)]).await;
    let other = [("REDIS_URL", url.as_str()), ("DATABASE_URL", &database)];
    let second = Server::start_with(Database::Sqlite, &other).await;

    let market = first.register("creator").await.open_market(&["Yes", "No"], "500.00").await;
    let gamblers = (0..8).map(|n| {
        let (first, second, market) = (&first, &second, &market);
        async move {
            let here = first.register(&format!("user{n}")).await;
            let there = here.moved_to(second.origin());
            let mut longest = Duration::ZERO;
            for round in 0..bets / 8 {
                let (own, others) = if round % 2 == 0 { (&here, &there) } else { (&there, &here) };
                longest = longest.max(bet_and_look(own, others, market).await);
            }
            longest
        }
    });
    let longest = join_all(gamblers).await.into_iter().max().unwrap();
    println!("{bets} bets; the other node showed each after {longest:?} at the latest");
    first.admin().await.check_audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_on_all_nodes_count_together() {
    let redis = Redis::start().await;
    let home = Home::new(Database::Postgres);
    let (database, url) = (home.database_url().unwrap().to_owned(), redis.url());
    let first = Server::start_in(home, &[("REDIS_URL", &url)]).await;
    let other = [("REDIS_URL", url.as_str()), ("DATABASE_URL", &database)];
    let second = Server::start_with(Database::Sqlite, &other).await;
    for server in [&first, &second] {
        eventually("Redis to be used", async || (redis_check(server).await == "ok").then_some(()))
            .await;
    }
    let guess = json!({"email": "nobody@example.org", "password": "wrong password"});
    for server in [&first, &second].into_iter().cycle().take(10) {
        server.client().post("/sessions", guess.clone()).await.refused(401, "UNAUTHORIZED");
    }
    for server in [&first, &second] {
        server.client().post("/sessions", guess.clone()).await.refused(429, "RATE_LIMITED");
    }
    let kept = redis.tell(&["KEYS *"]);
    assert!(kept.contains("limit:password:of:") && !kept.contains("nobody"), "{kept}");
    // A user who knows the password is not limited, however often and wherever they sign in.
    let ada = first.register("ada").await;
    for server in [&first, &second].into_iter().cycle().take(30) {
        ada.moved_to(server.origin()).log_in("ada@example.org", PASSWORD).await;
    }
}

/// Bets on one node and reads on both: immediately on its own, and until the other one has it.
/// Returns the delay.
async fn bet_and_look(own: &Client, others: &Client, market: &Value) -> Duration {
    let path = format!("/markets/{}", text(&market["id"]));
    let fill = own.bet(market, 0, "0.05").await.data(201);
    let acknowledged = Instant::now();
    let placed = fill["marketVersion"].as_i64().unwrap();
    let shown = own.get(&path).await.data(200)["version"].as_i64().unwrap();
    assert!(shown >= placed, "bet at version {placed} was acknowledged, and version {shown} shown");
    eventually("the other node to show the bet", async || {
        let shown = others.get(&path).await.data(200)["version"].as_i64().unwrap();
        (shown >= placed).then_some(())
    })
    .await;
    acknowledged.elapsed()
}
