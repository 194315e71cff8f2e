//! A Postgres whose connections stay open without responses: it is frozen, or everything in it is
//! locked. No client waits for it, no work accumulates, and everything continues afterwards.

use std::time::{Duration, Instant};

use foretell_tests::{Client, Cluster, Home, Server, size};
use futures::future::join_all;
use serde_json::Value;

/// Number of concurrent clients.
const CLIENTS: usize = 32;
/// Response timeout of the server, in milliseconds: the default setting.
const ANSWER_TIMEOUT: (&str, &str) = ("FORETELL__SERVER__ANSWER_TIMEOUT_MS", "2000");
/// Maximum growth of the server's memory meanwhile, in bytes.
const GROWTH: u64 = 32 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frozen_postgres_blocks_no_client() {
    let cluster = Cluster::start().await;
    let fixture = Fixture::settle(Home::on_server(&cluster.url())).await;
    cluster.freeze();
    fixture.outlast().await;
    cluster.thaw();
    fixture.check_goes_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locked_postgres_blocks_no_client() {
    let cluster = Cluster::start().await;
    let fixture = Fixture::settle(Home::on_server(&cluster.url())).await;
    let hold = fixture.server.home().hold_all();
    fixture.outlast().await;
    drop(hold);
    fixture.check_goes_on().await;
}

/// A server whose users read one market and bet on it.
struct Fixture {
    server: Server,
    user: Client,
    admin: Client,
    market: Value,
}

impl Fixture {
    async fn settle(home: Home) -> Self {
        let server = Server::start_in(home, &[ANSWER_TIMEOUT]).await;
        let (user, admin) = (server.register("ada").await, server.admin().await);
        let market = user.open_market(&["Yes", "No"], "10").await;
        let fixture = Self { server, user, admin, market };
        let answers = fixture.load(Duration::from_secs(1)).await;
        assert!(answers.iter().all(|answer| answer.status < 300), "{answers:?}");
        fixture
    }

    /// Checks the responses to clients during the outage.
    async fn outlast(&self) {
        let time = Duration::from_secs(size("FORETELL_TEST_FREEZE_S", 6, 30) as u64);
        let memory = self.server.resident_bytes();
        let answers = self.load(time).await;
        let grown = self.server.resident_bytes().saturating_sub(memory);
        let slowest = answers.iter().map(|answer| answer.took).max().unwrap();
        eprintln!(
            "{} answers, the slowest after {slowest:?}; grown by {grown} bytes",
            answers.len()
        );
        // Longer than the timeout because of other tests, but still shorter than the outage.
        let soon = Duration::from_millis(size("FORETELL_TEST_SOON_MS", 4_000, 2_500) as u64);
        assert!(slowest < soon, "{slowest:?}");
        let done = answers.iter().filter(|answer| answer.status < 300).count();
        assert!(
            done <= CLIENTS,
            "what was under way as it began may be done, and nothing else: {answers:?}"
        );
        assert!(
            answers.iter().all(|answer| answer.status < 300 || answer.status == 503),
            "{answers:?}"
        );
        assert!(answers.len() >= 2 * CLIENTS, "{answers:?}");
        assert!(grown < GROWTH, "{grown}");
    }

    /// Checks that everything works as before.
    async fn check_goes_on(&self) {
        let begun = Instant::now();
        while self.user.bet(&self.market, 0, "1").await.status != 201 {}
        eprintln!("writing again after {:?}", begun.elapsed());
        let answers = self.load(Duration::from_secs(1)).await;
        assert!(answers.iter().all(|answer| answer.status < 300), "{answers:?}");
        self.admin.check_audit().await;
    }

    /// Returns the responses to many clients that send again as long as there is time.
    async fn load(&self, time: Duration) -> Vec<Answered> {
        let until = Instant::now() + time;
        join_all((0..CLIENTS).map(|_| self.ask(until)).collect::<Vec<_>>()).await.concat()
    }

    async fn ask(&self, until: Instant) -> Vec<Answered> {
        let mut answers = Vec::new();
        for turn in 0.. {
            let begun = Instant::now();
            if begun > until {
                break;
            }
            let answer = if turn % 2 == 0 {
                self.user.get(&format!("/markets?limit=1&page={}", turn % 7 + 1)).await
            } else {
                self.user.bet(&self.market, 0, "0.01").await
            };
            answers.push(Answered { status: answer.status, took: begun.elapsed() });
        }
        answers
    }
}

/// A response and its duration.
#[derive(Debug, Clone, Copy)]
struct Answered {
    status: u16,
    took: Duration,
}
