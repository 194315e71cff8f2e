//! A Postgres whose connections stay open while nothing is answered: it is frozen, or everything in it is locked.
//! Nobody waits for it, nothing piles up, and all goes on when it does.

use std::time::{Duration, Instant};

use foretell_tests::{Client, Cluster, Home, Server, size};
use futures::future::join_all;
use serde_json::Value;

/// How many clients send at once.
const CLIENTS: usize = 32;
/// What the server promises to its clients, in milliseconds: its own setting when nobody says otherwise.
const ANSWER_TIMEOUT: (&str, &str) = ("FORETELL__SERVER__ANSWER_TIMEOUT_MS", "2000");
/// The most memory by which the server may grow meanwhile, in bytes.
const GROWTH: u64 = 32 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_freezes_keeps_nobody_waiting() {
    let cluster = Cluster::start().await;
    let town = Town::settle(Home::on_server(&cluster.url())).await;
    cluster.freeze();
    town.outlast().await;
    cluster.thaw();
    town.check_goes_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_whose_connections_are_all_held_keeps_nobody_waiting() {
    let cluster = Cluster::start().await;
    let town = Town::settle(Home::on_server(&cluster.url())).await;
    let hold = town.server.home().hold_all();
    town.outlast().await;
    drop(hold);
    town.check_goes_on().await;
}

/// A server whose users look at one market and bet on it.
struct Town {
    server: Server,
    user: Client,
    admin: Client,
    market: Value,
}

impl Town {
    async fn settle(home: Home) -> Self {
        let server = Server::start_in(home, &[ANSWER_TIMEOUT]).await;
        let (user, admin) = (server.register("ada").await, server.admin().await);
        let market = user.open_market(&["Yes", "No"], "10").await;
        let town = Self { server, user, admin, market };
        let answers = town.load(Duration::from_secs(1)).await;
        assert!(answers.iter().all(|answer| answer.status < 300), "{answers:?}");
        town
    }

    /// Checks what clients are told while nothing is answered.
    async fn outlast(&self) {
        let time = Duration::from_secs(size("FORETELL_TEST_FREEZE_S", 6, 30) as u64);
        let memory = self.server.resident_bytes();
        let answers = self.load(time).await;
        let grown = self.server.resident_bytes().saturating_sub(memory);
        let slowest = answers.iter().map(|answer| answer.took).max().unwrap();
        eprintln!("{} answers, the slowest after {slowest:?}; grown by {grown} bytes", answers.len());
        // Among other tests longer than is promised, and still less than the fault lasts.
        let soon = Duration::from_millis(size("FORETELL_TEST_SOON_MS", 4_000, 2_500) as u64);
        assert!(slowest < soon, "{slowest:?}");
        let done = answers.iter().filter(|answer| answer.status < 300).count();
        assert!(done <= CLIENTS, "what was under way as it began may be done, and nothing else: {answers:?}");
        assert!(answers.iter().all(|answer| answer.status < 300 || answer.status == 503), "{answers:?}");
        assert!(answers.len() >= 2 * CLIENTS, "{answers:?}");
        assert!(grown < GROWTH, "{grown}");
    }

    /// Checks that all is as before.
    async fn check_goes_on(&self) {
        let begun = Instant::now();
        while self.user.bet(&self.market, 0, "1").await.status != 201 {}
        eprintln!("writing again after {:?}", begun.elapsed());
        let answers = self.load(Duration::from_secs(1)).await;
        assert!(answers.iter().all(|answer| answer.status < 300), "{answers:?}");
        self.admin.check_audit().await;
    }

    /// What many clients are answered who come again as long as there is time.
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

/// An answer and the time that it took.
#[derive(Debug, Clone, Copy)]
struct Answered {
    status: u16,
    took: Duration,
}
