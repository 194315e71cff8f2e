//! A Postgres that freezes under load: its connections stay open, and nothing answers.

use std::time::{Duration, Instant};

use foretell_tests::{Client, Cluster, Home, Server, number};
use futures::future::join_all;
use serde_json::Value;

/// How many clients send at once.
const CLIENTS: usize = 32;
/// Whoever is refused is so within this time.
const SOON: Duration = Duration::from_millis(2_500);
/// The most memory by which the server may grow meanwhile, in bytes.
const GROWTH: u64 = 64 << 20;

/// The statuses of answers with the time that each took; the longest.
async fn ask(client: &Client, market: &Value, until: Instant) -> Vec<(u16, Duration)> {
    let mut answers = Vec::new();
    for turn in 0.. {
        let begun = Instant::now();
        if begun > until {
            break;
        }
        let answer = if turn % 2 == 0 {
            client.get(&format!("/markets?limit=1&page={}", turn % 7 + 1)).await
        } else {
            client.bet(market, 0, "0.01").await
        };
        answers.push((answer.status, begun.elapsed()));
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_freezes_keeps_nobody_waiting() {
    let seconds = number("FORETELL_TEST_FREEZE_S", 6) as u64;
    let cluster = Cluster::start().await;
    let server = Server::start_in(Home::on_server(&cluster.url()), &[]).await;
    let ada = server.register("ada").await;
    let market = ada.open_market(&["Yes", "No"], "10").await;
    let clients = vec![ada.clone(); CLIENTS];
    let load = |seconds| {
        let until = Instant::now() + Duration::from_secs(seconds);
        join_all(clients.iter().map(|client| ask(client, &market, until)).collect::<Vec<_>>())
    };
    for (status, _) in load(1).await.concat() {
        assert!(status < 300, "{status}");
    }
    let memory = server.resident_bytes();
    cluster.freeze();
    let under_way = load(seconds);
    let thaw = async {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let grown = server.resident_bytes().saturating_sub(memory);
        cluster.thaw();
        grown
    };
    let (answers, grown) = tokio::join!(under_way, thaw);
    let answers = answers.concat();
    let refused: Vec<_> = answers.iter().filter(|(status, _)| *status == 503).collect();
    let slowest = refused.iter().map(|(_, took)| *took).max().unwrap();
    let others: Vec<_> = answers.iter().filter(|(status, _)| *status != 503).collect();
    let (count, rest) = (refused.len(), others.len());
    eprintln!("{count} refusals, the slowest after {slowest:?}; {rest} others; grown by {grown} bytes");
    assert!(slowest < SOON, "{slowest:?}");
    // Each client is refused, but for the requests that were under way on a connection.
    assert!(refused.len() >= CLIENTS / 2, "{} refusals", refused.len());
    assert!(others.iter().all(|(status, _)| matches!(status, 200 | 201)), "{others:?}");
    assert!(grown < GROWTH, "{grown}");
    // Writing again at once.
    ada.bet(&market, 0, "1").await.expect(201);
    server.admin().await.check_audit().await;
}
