//! Hostile load: the time of other requests while attackers send the most expensive known requests.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use foretell_tests::{Client, Database, Server, market, text};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::load::{self, Load, Requests, Totals};
use crate::report::remark;
use crate::scenario;

/// Kind of attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Attack {
    /// Searches of long posts
    Searches,
    /// Batches of 1,000 transfers of two users, while another one pays
    Batches,
}

impl Attack {
    /// All attacks.
    pub(crate) const ALL: [Self; 2] = [Self::Searches, Self::Batches];

    /// Returns the pause of the measured client between two requests.
    const fn pause(self) -> Duration {
        match self {
            Self::Searches => Duration::ZERO,
            Self::Batches => Duration::from_millis(3),
        }
    }
}

/// Parameters of a measurement under attack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Number of attacking connections.
    pub(crate) connections: usize,
    /// Number of posts of 50,000 characters.
    pub(crate) posts: usize,
    /// Duration of the measurement of each kind of request.
    pub(crate) counted: Duration,
}

/// Duration of the load before each measurement.
const WARM_UP: Duration = Duration::from_secs(1);
/// Number of transfers in a batch, which is the maximum.
const BATCH_TRANSFERS: usize = 1_000;
/// Number of users whom the batches pay.
const PAYEES: usize = 20;
/// Settings with enough money for all payments, and without rate limits.
const SETTINGS: [(&str, &str); 2] =
    [("FORETELL__ACCOUNTS__SIGNUP_GRANT", "1000000"), ("FORETELL__LIMITS__WRITE", "0")];

/// Request that is sent repeatedly.
#[derive(Debug, Clone)]
enum Request {
    Get(String),
    Post { path: &'static str, token: String, body: String },
}

/// Requests of an attack, and the requests that are measured during it.
struct Fixture {
    measured: Vec<Request>,
    attacks: Vec<Request>,
}

/// Measures other requests without and with the attack.
pub(crate) fn measure(database: Database, attack: Attack, plan: Plan) -> Result<()> {
    let Plan { connections, posts, .. } = plan;
    remark(&format!("\n{database:?}, {attack:?}, {connections} connections"));
    let runtime = Runtime::new()?;
    let server = runtime.block_on(Server::start_with(database, &SETTINGS));
    let address = server.origin().trim_start_matches("http://").parse().context("no address")?;
    let fixture = match attack {
        Attack::Searches => {
            remark(&format!("{posts} posts of 50,000 characters"));
            Fixture { measured: runtime.block_on(seed(&server, posts))?, attacks: searches() }
        }
        Attack::Batches => runtime.block_on(payers(&server))?,
    };
    let measured = Load {
        address,
        connections: 1,
        pause: attack.pause(),
        warm_up: WARM_UP,
        counted: plan.counted,
    };
    let idle = measure_each(measured, &fixture.measured)?;
    let during =
        WARM_UP + (WARM_UP + plan.counted) * u32::try_from(fixture.measured.len())? + WARM_UP;
    let attackers = Load { connections, pause: Duration::ZERO, counted: during, ..measured };
    let attacks = fixture.attacks;
    let attackers = thread::spawn(move || {
        load::run(attackers, |number| in_turn(attacks.clone(), number), || {})
    });
    thread::sleep(WARM_UP);
    let attacked = measure_each(measured, &fixture.measured)?;
    let attackers = attackers.join().map_err(|_| anyhow::anyhow!("the attackers panicked"))??;
    for ((request, idle), attacked) in fixture.measured.iter().zip(&idle).zip(&attacked) {
        let at =
            |totals: &Totals, share: f64| totals.latencies_us.value_at_quantile(share) as f64 / 1e3;
        remark(&format!(
            "{:<40} idle p50 {:>6.2} p99 {:>6.2} ms, under attack p50 {:>6.2} p99 {:>6.2} ms, {:?}",
            request.path(),
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

/// Creates two users who send batches, and a third one who pays an account that the batches do not
/// touch.
async fn payers(server: &Server) -> Result<Fixture> {
    let mut payees = Vec::new();
    for number in 0..PAYEES {
        payees.push(server.register(&format!("payee-{number}")).await.account_id);
    }
    let mut attacks = Vec::new();
    for name in ["eve", "mallory"] {
        let attacker = server.register(name).await;
        let transfers: Vec<_> = (0..BATCH_TRANSFERS)
            .map(|number| {
                let (from, to) = (&attacker.account_id, &payees[number % PAYEES]);
                json!({"fromAccountId": from, "toAccountId": to, "amount": "0.01"})
            })
            .collect();
        let body = json!({"mode": "independent", "transfers": transfers}).to_string();
        attacks.push(Request::signed_by(&attacker, "/api/v1/transfers/batch", body)?);
    }
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let body =
        json!({"fromAccountId": ada.account_id, "toAccountId": ben.account_id, "amount": "1.00"});
    let payment = Request::signed_by(&ada, "/api/v1/transfers", body.to_string())?;
    Ok(Fixture { measured: vec![payment], attacks })
}

/// Writes long posts and a market, and returns the reads to measure.
async fn seed(server: &Server, posts: usize) -> Result<Vec<Request>> {
    let ada = server.register("ada").await;
    for number in 0..posts {
        let post = json!({
            "title": format!("Long post {number}"), "content": long_text(number), "published": true
        });
        let answer = ada.post("/posts", post).await;
        ensure!(answer.status == 201, "{answer:?}");
    }
    let opened = open(&ada).await;
    let paths = [
        "/livez".to_owned(),
        "/readyz".to_owned(),
        "/api/v1/markets".to_owned(),
        format!("/api/v1/markets/{opened}"),
        format!("/api/v1/markets/{opened}/bets"),
        "/api/v1/posts?fields=id,title&limit=10".to_owned(),
    ];
    Ok(paths.map(Request::Get).to_vec())
}

async fn open(creator: &Client) -> String {
    text(&creator.post("/markets", market(&["Yes", "No"], "100")).await.data(201)["id"])
}

/// Returns a text of 50,000 characters, each expensive for a different step of a search.
fn long_text(number: usize) -> String {
    let words = ["rain", "snow", "hail", "wind", "school", "harbour", "election"];
    let text = match number % 4 {
        0 => "a".repeat(49_000) + "b",
        1 => "a ".repeat(24_000),
        2 => "雨".repeat(16_000),
        _ => (0..7_000)
            .map(|word| words[(word * 3 + number) % words.len()])
            .collect::<Vec<_>>()
            .join(" "),
    };
    // The number makes each post unique.
    format!("{text} {number}")
}

/// Returns the most expensive known searches.
fn searches() -> Vec<Request> {
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
    paths.map(Request::Get).collect()
}

/// Sends one request after another, each for the same duration.
fn measure_each(load: Load, requests: &[Request]) -> Result<Vec<Totals>> {
    requests
        .iter()
        .map(|request| load::run(load, |_| in_turn(vec![request.clone()], 0), || {}))
        .collect()
}

/// Sends these requests in turn, beginning with number `first`.
fn in_turn(requests: Vec<Request>, first: usize) -> Requests {
    let mut next = first;
    Box::new(move |buffer| {
        requests[next % requests.len()].write(buffer);
        next += 1;
    })
}

impl Request {
    fn signed_by(user: &Client, path: &'static str, body: String) -> Result<Self> {
        let token = user.token.clone().context("the user is not signed in")?;
        Ok(Self::Post { path, token, body })
    }

    fn path(&self) -> &str {
        match self {
            Self::Get(path) => path,
            Self::Post { path, .. } => path,
        }
    }

    fn write(&self, buffer: &mut Vec<u8>) {
        match self {
            Self::Get(path) => scenario::get(buffer, path),
            Self::Post { path, token, body } => scenario::post(buffer, path, token, body),
        }
    }
}
