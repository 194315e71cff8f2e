//! Tests that the number of statements of a response does not depend on its number of rows.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use foretell::{DatabaseConfig, DatabaseUrl, Foretell};
use foretell_application::ApplicationSettings;
use foretell_domain::money::Amount;
use foretell_testkit::FakeClock;
use foretell_tests::{Client, Database, Home, on_each_database, text};
use foretell_web::{ServeOptions, WebSettings};
use futures::future::join_all;
use serde_json::{Value, json};

on_each_database!(
    statement_count_is_independent_of_rows,
    thousand_readers_of_market_cost_one_query
);

/// Number of statements sent to each database that this process has opened.
static SENT: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

/// Counts the statements of one connection under its URL.
#[derive(Default)]
struct Counter(String);

impl Instrumentation for Counter {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => {
                url.clone_into(&mut self.0);
            }
            // The checkpointer of SQLite works whenever it likes.
            InstrumentationEvent::StartQuery { .. }
                if thread::current().name() != Some("db-checkpoint") =>
            {
                *SENT
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .entry(self.0.clone())
                    .or_default() += 1;
            }
            _ => {}
        }
    }
}

/// A server in this process, and resources to read.
struct Fixture {
    home: Home,
    clock: FakeClock,
    ada: Client,
    market: Value,
    post: Value,
    /// Number of other registered users.
    others: usize,
}

impl Fixture {
    async fn open(database: Database, settings: ApplicationSettings) -> Self {
        set_default_instrumentation(|| Some(Box::new(Counter::default()))).unwrap();
        let (home, clock) = (Home::new(database), FakeClock::default());
        let origin = serve(&home, &clock, settings).await;
        let ada = Client::new(&origin).register("ada").await;
        let market = ada.open_market(&["Yes", "No"], "10").await;
        let post =
            json!({"title": "On rain", "content": "It may.", "published": true, "tags": ["rain"]});
        let post = ada.post("/posts", post).await.data(201);
        // Searches have a connection of their own, which is opened now.
        ada.get("/markets/search?q=rain").await.expect(200);
        Self { home, clock, ada, market, post, others: 0 }
    }

    /// Adds these many rows to every list.
    async fn fill(&mut self, rows: usize) {
        for _ in 0..rows {
            self.others += 1;
            let other = self.ada.log_in("ada@example.org", "correct horse battery").await;
            let other = other.register(&format!("user-{}", self.others)).await;
            let (market, number) = (other.open_market(&["Yes", "No"], "10").await, self.others);
            for market in [&market, &self.market] {
                self.ada.bet(market, number % 2, "1").await.expect(201);
            }
            // Not in the other's own market, which could then not be resolved at once.
            other.bet(&self.market, 0, "1").await.expect(201);
            if number % 2 == 0 {
                let winner = json!({"optionId": market["options"][0]["id"]});
                other
                    .post(&format!("/markets/{}/resolution", text(&market["id"])), winner)
                    .await
                    .expect(200);
            }
            for path in [
                format!("/markets/{}", text(&self.market["id"])),
                format!("/posts/{}", text(&self.post["id"])),
            ] {
                other
                    .post(&format!("{path}/comments"), json!({"content": "So?"}))
                    .await
                    .expect(201);
            }
            for by in [&other, &self.ada] {
                let tags = json!(["rain", format!("tag {number}")]);
                let post =
                    json!({"title": "More", "content": "Rain.", "published": true, "tags": tags});
                by.post("/posts", post).await.expect(201);
            }
            self.ada.create_api_key(&["read"]).await;
            self.ada.pay(&other, "1").await.expect(201);
        }
    }

    /// Returns every list, and every resource with embedded ones.
    fn paths(&self) -> Vec<String> {
        let (market, post) = (text(&self.market["id"]), text(&self.post["id"]));
        let mut paths: Vec<_> = [
            "/markets?expand=creator,bets&limit=100",
            "/markets?status=open&sort=closing&limit=100",
            "/markets?category=politics&sort=volume&limit=100",
            "/posts?expand=author,comments&limit=100",
            "/posts?tag=rain&limit=100",
            "/tags?limit=100",
            "/markets/search?q=rain&limit=100",
            "/posts/search?q=rain&limit=100",
            "/users?limit=100",
            "/sessions?limit=100",
            "/api-keys?limit=100",
            "/accounts?limit=100",
            "/me/bets?limit=100",
            "/me/positions?limit=100",
            "/leaderboard?limit=100",
            "/me",
        ]
        .map(str::to_owned)
        .to_vec();
        paths.push(format!("/accounts/{}/transfers?limit=100", self.ada.account_id));
        paths.push(format!("/users/{}", self.ada.user_id));
        for part in [
            "?expand=creator,bets",
            "/bets?limit=100",
            "/positions?limit=100",
            "/comments?limit=100",
        ] {
            paths.push(format!("/markets/{market}{part}"));
        }
        for part in ["?expand=author,comments", "/comments?limit=100"] {
            paths.push(format!("/posts/{post}{part}"));
        }
        paths
            .iter()
            .flat_map(|path| ["/api/v1", "/api/v2"].map(|base| format!("{base}{path}")))
            .collect()
    }

    /// Returns the number of statements and rows of each path, without any cached data.
    async fn measure(&self) -> BTreeMap<String, (usize, usize)> {
        let mut measured = BTreeMap::new();
        for path in self.paths() {
            // Leaderboards and totals are computed again.
            self.clock.advance_seconds(61);
            let before = self.sent();
            let data = self.ada.get(&path).await.data(200);
            let rows = data.as_array().map_or(1, Vec::len);
            measured.insert(path, (self.sent() - before, rows));
        }
        measured
    }

    /// Returns the number of statements sent to this scene's database so far.
    fn sent(&self) -> usize {
        let folder = self.home.path().display().to_string();
        let own = self.home.database_url().map_or(folder, str::to_owned);
        let sent = SENT.lock().unwrap_or_else(PoisonError::into_inner);
        sent.iter().filter(|(url, _)| url.contains(&own)).map(|(_, count)| count).sum()
    }
}

/// Serves the API over the database of a home, with one connection for reading, and returns the
/// origin.
async fn serve(home: &Home, clock: &FakeClock, settings: ApplicationSettings) -> String {
    let file = home.path().join("books.db").display().to_string();
    let url: DatabaseUrl = home.database_url().unwrap_or(&file).parse().unwrap();
    let mut config = DatabaseConfig::new(url);
    (config.read_connections, config.wait) = (1, Duration::from_secs(30));
    let builder = Foretell::builder().database(config).fakes(1).clock(clock.clone());
    let foretell = builder.settings(settings).build().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let state = foretell.web_state(WebSettings::default()).await.unwrap();
    let minute = Duration::from_mins(1);
    let options = ServeOptions {
        workers: 1,
        keep_alive: minute,
        unread_timeout: minute,
        connections: foretell_web::ConnectionLimits { total: 1_000, per_address: 1_000 },
        shutdown_timeout: Duration::from_secs(1),
    };
    tokio::spawn(foretell_web::serve(listener, state, options).unwrap());
    origin
}

/// Returns settings without a session cache, so that each request costs the same.
fn settings() -> ApplicationSettings {
    ApplicationSettings {
        signup_grant: Amount::new(1_000_000).ok(),
        session_trust: Duration::ZERO,
        market_trust: Duration::ZERO,
        ..ApplicationSettings::default()
    }
}

async fn statement_count_is_independent_of_rows(database: Database) {
    let mut fixture = Fixture::open(database, settings()).await;
    fixture.fill(4).await;
    // Opens and sets up the connections.
    fixture.measure().await;
    let few = fixture.measure().await;
    fixture.fill(6).await;
    let many = fixture.measure().await;
    let more: Vec<_> = many.iter().filter(|(path, (count, _))| *count > few[*path].0).collect();
    assert!(more.is_empty(), "{database:?}: {more:#?} took fewer statements among these: {few:#?}");
    // Only the accounts of one user do not grow; everything else does.
    let lists =
        many.iter().filter(|(path, _)| path.contains("limit=100") && !path.contains("/accounts?"));
    for (path, (count, rows)) in lists {
        assert!(
            *rows > few[path].1 && *count > 0,
            "{path} has not grown: {count} statements, {rows} rows"
        );
    }
}

async fn thousand_readers_of_market_cost_one_query(database: Database) {
    const READERS: usize = 1_000;
    let settings = ApplicationSettings { market_trust: Duration::from_mins(10), ..settings() };
    let fixture = Fixture::open(database, settings).await;
    let mut anyone = fixture.ada.clone();
    anyone.token = None;
    let read = async |readers: usize| {
        let market = fixture.ada.open_market(&["Yes", "No"], "10").await;
        let path = format!("/markets/{}", text(&market["id"]));
        let before = fixture.sent();
        for answer in join_all((0..readers).map(|_| anyone.get(&path))).await {
            answer.expect(200);
        }
        fixture.sent() - before
    };
    // One reader queries it; an idle connection may be checked first.
    let sent = [read(1).await, read(READERS).await];
    assert!(sent.iter().all(|sent| (1..=2).contains(sent)), "{database:?}: {sent:?}");
}
