//! Searches on the real server: whatever is asked is answered, and what fails makes room for the next step.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what serves tests fails like a test"
)]

use std::time::Instant;

use foretell_tests::{Answer, Chance, Client, Database, Server, market, new_key, on_each_database, text};
use reqwest::Method;
use serde_json::{Value, json};

on_each_database!(
    no_query_is_too_strange,
    a_renamed_market_is_found_by_its_new_name_at_once,
    a_step_that_fails_makes_room_for_the_next
);

/// What hostile queries are put together from: the languages of both databases, quotes, signs, scripts.
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

/// How many queries are made up for each list.
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

/// The ids of what is found, and the method.
fn found(answer: Answer) -> (Vec<String>, String) {
    let method = text(&answer.body["meta"]["method"]);
    let rows = answer.data(200);
    (rows.as_array().unwrap().iter().map(|row| text(&row["id"])).collect(), method)
}

async fn no_query_is_too_strange(database: Database) {
    let server = Server::start(database).await;
    let ada = server.register("ada").await;
    open(&ada, "Will it rain on Friday? 100 % 雨 🌧️").await;
    let post = json!({ "title": "Rain: on Friday", "content": "'NEAR(' \"x\"", "published": true });
    ada.post("/posts", post).await.expect(201);
    let mut chance = Chance::new(1);
    let mut queries = vec!["a".repeat(10_000), "\"".repeat(499), "-".repeat(500), "or ".repeat(100)];
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
    assert!(!log.contains("a step of a search failed"), "{log}");
}

async fn a_renamed_market_is_found_by_its_new_name_at_once(database: Database) {
    let server = Server::start(database).await;
    let ada = server.register("ada").await;
    let opened = open(&ada, "Will the harbour freeze?").await;
    let id = text(&opened["id"]);
    for (word, method) in [("harbour", "fulltext"), ("arbou", "substring")] {
        assert_eq!(found(search(&ada, "markets", word).await), (vec![id.clone()], method.to_owned()));
    }
    let path = format!("/markets/{id}");
    let renaming = ada.request(Method::PATCH, &path).header("Idempotency-Key", new_key());
    let version = ada.get(&path).await.header("ETag").unwrap().to_owned();
    let renaming = renaming.header("If-Match", version).json(&json!({ "name": "Will the river freeze?" }));
    foretell_tests::send(renaming).await.expect(200);
    for (old, new) in [("harbour", "river"), ("arbou", "ive")] {
        assert_eq!(found(search(&ada, "markets", old).await).0, Vec::<String>::new());
        assert_eq!(found(search(&ada, "markets", new).await).0, [id.as_str()]);
    }
}

async fn a_step_that_fails_makes_room_for_the_next(database: Database) {
    let server = Server::start(database).await;
    let ada = server.register("ada").await;
    let id = text(&open(&ada, "Will it rain on Friday?").await["id"]);
    let found_by = async |method: &str| {
        let begun = Instant::now();
        let found = found(search(&ada, "markets", "rain").await);
        assert_eq!(found, (vec![id.clone()], method.to_owned()));
        assert!(begun.elapsed().as_secs() < 5, "within the budgets");
    };
    found_by("fulltext").await;
    server.home().execute(match database {
        Database::Sqlite => "ALTER TABLE market_words RENAME TO market_words_away",
        Database::Postgres => "ALTER TABLE markets RENAME COLUMN search_vector TO search_vector_away",
    });
    found_by("substring").await;
    server.home().execute(match database {
        Database::Sqlite => "ALTER TABLE market_words_away RENAME TO market_words",
        Database::Postgres => "ALTER TABLE markets RENAME COLUMN search_vector_away TO search_vector",
    });
    found_by("fulltext").await;
    assert!(server.log().contains("a step of a search failed"));
}
