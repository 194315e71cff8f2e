//! Search: the share of expected results that is found among realistic markets, and the time with
//! many markets.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use foretell_tests::{Client, Database, Home, Server, eventually, market, text};
use serde_json::Value;

use crate::report::remark;
use crate::seed::{self, Size};

/// Markets: key, category, name and description.
const MARKETS: &str = include_str!("../search/markets.tsv");
/// Queries: the step that should answer, the query, and the keys of the expected results; without
/// keys, no result is expected.
const QUERIES: &str = include_str!("../search/queries.tsv");

/// Number of hits of a response that count.
const SHOWN: usize = 5;

/// Number of times that each query is sent to many markets.
const ROUNDS: usize = 20;

/// Query of the set.
struct Query {
    step: &'static str,
    text: &'static str,
    expected: Vec<&'static str>,
}

fn columns(lines: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    lines.lines().map(|line| line.split('\t').collect())
}

fn queries() -> Vec<Query> {
    let query = |columns: Vec<&'static str>| Query {
        step: columns[0],
        text: columns[1],
        expected: columns[2].split_whitespace().collect(),
    };
    columns(QUERIES).map(query).collect()
}

/// Result of the queries of one step.
#[derive(Default)]
struct Score {
    queries: usize,
    /// Sum of the recall of each query: its share of expected results among the first hits.
    recall: f64,
    /// Number of queries with an expected result among the first hits, or correctly without result.
    found: usize,
    answered: BTreeMap<String, usize>,
}

/// Measures both on one database.
pub(crate) async fn measure(database: Database, many: u64) -> Result<()> {
    remark(&format!("\n{database:?}"));
    recall(database).await?;
    speed(database, many).await
}

/// Measures the recall among the realistic markets.
async fn recall(database: Database) -> Result<()> {
    let server =
        Server::start_with(database, &[("FORETELL__ACCOUNTS__SIGNUP_GRANT", "1000000")]).await;
    let ada = server.register("ada").await;
    let mut keys = BTreeMap::new();
    for columns in columns(MARKETS) {
        let mut body = market(&["Yes", "No"], "10");
        for (field, value) in ["category", "name", "description"].into_iter().zip(&columns[1..]) {
            body[field] = (*value).into();
        }
        let opened = ada.post("/markets", body).await.data(201);
        keys.insert(text(&opened["id"]), columns[0]);
    }
    wait_for_vectors(server.home(), keys.len()).await;
    let mut scores: BTreeMap<&str, Score> = BTreeMap::new();
    for query in queries() {
        let answer = ask(&ada, query.text).await?;
        let hits = answer["data"].as_array().context("no hits")?;
        let hits: Vec<_> =
            hits.iter().filter_map(|hit| keys.get(&text(&hit["id"])).copied()).collect();
        let score = scores.entry(query.step).or_default();
        score.queries += 1;
        *score.answered.entry(text(&answer["meta"]["method"])).or_default() += 1;
        let right = query.expected.iter().filter(|key| hits.contains(key)).count();
        let possible = query.expected.len().min(SHOWN);
        let share =
            if possible == 0 { f64::from(hits.is_empty()) } else { right as f64 / possible as f64 };
        score.recall += share;
        score.found += usize::from(share > 0.0);
        if share < 1.0 {
            remark(&format!(
                "  {:?} finds {hits:?} and not all of {:?}",
                query.text, query.expected
            ));
        }
    }
    for (step, score) in scores {
        let of = |part: f64| part / score.queries as f64;
        remark(&format!(
            "{step:<10} {} queries over {} markets: found {:.2}, recall at {SHOWN} {:.2}, \
             answered by {:?}",
            score.queries,
            keys.len(),
            of(score.found as f64),
            of(score.recall),
            score.answered
        ));
    }
    Ok(())
}

/// Measures the latency with many markets.
async fn speed(database: Database, many: u64) -> Result<()> {
    let mut server = Server::start(database).await;
    server.stop_cleanly().await;
    seed::fill(server.home(), database, Size { people: 1_000, markets: many, bets: 1_000 }, 1)?;
    rename(server.home());
    let begun = Instant::now();
    server.command("search reindex").run().await.succeeded();
    remark(&format!("{many} markets are reindexed in {:.0} s", begun.elapsed().as_secs_f64()));
    server.home().execute(if database == Database::Sqlite { "ANALYZE" } else { "VACUUM ANALYZE" });
    server.start_again().await;
    let anyone = server.client();
    eventually("the index is read", async || {
        let ready = anyone.get("/readyz").await.data(200);
        (ready["checks"]["search"]["status"] == "ok").then_some(())
    })
    .await;
    let mut took: BTreeMap<String, Vec<Duration>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for query in queries() {
            let begun = Instant::now();
            let answer = ask(&anyone, query.text).await?;
            took.entry(text(&answer["meta"]["method"])).or_default().push(begun.elapsed());
        }
    }
    for (method, mut took) in took {
        took.sort_unstable();
        let at = |share: usize| took[(took.len() - 1) * share / 100].as_secs_f64() * 1e3;
        remark(&format!(
            "{method:<10} {} answers over {many} markets: p50 {:.1} ms, p99 {:.1} ms",
            took.len(),
            at(50),
            at(99)
        ));
    }
    server.stop_cleanly().await;
    Ok(())
}

/// Gives the markets of the history unique names and descriptions.
fn rename(home: &Home) {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let rows = columns(MARKETS).enumerate().map(|(number, columns)| {
        format!("({number}, {}, {})", quoted(columns[2]), quoted(columns[3]))
    });
    let rows: Vec<_> = rows.collect();
    let count = rows.len();
    home.execute(&format!(
        "BEGIN; CREATE TABLE believable (number BIGINT, name TEXT, description TEXT);
        INSERT INTO believable VALUES {};
        UPDATE markets SET name = believable.name || ' ' || (created_at_us % 1000000),
            description = believable.description
        FROM believable WHERE believable.number = created_at_us % {count};
        DROP TABLE believable; COMMIT;",
        rows.join(", ")
    ));
}

async fn wait_for_vectors(home: &Home, count: usize) {
    let all = i64::try_from(count).unwrap_or(i64::MAX);
    eventually("all markets have vectors", async || {
        (home.count("SELECT count(*) AS count FROM text_vectors") == all).then_some(())
    })
    .await;
}

async fn ask(client: &Client, query: &str) -> Result<Value> {
    let request = client.request(reqwest::Method::GET, "/markets/search");
    let answer = foretell_tests::send(request.query(&[("q", query), ("limit", "5")])).await;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(answer.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_expect_known_markets() {
        let keys: Vec<_> = columns(MARKETS).map(|columns| columns[0]).collect();
        assert!(keys.len() >= 300);
        assert!(columns(MARKETS).all(|columns| (10..=1_000).contains(&columns[3].chars().count())));
        assert!(queries().len() >= 60);
        for query in queries() {
            assert!(["semantic", "fulltext", "substring"].contains(&query.step), "{}", query.text);
            assert!(query.expected.iter().all(|key| keys.contains(key)), "{}", query.text);
        }
    }

    #[test]
    fn semantic_queries_share_no_word_with_expected_results() {
        let words = |text: &str| -> Vec<String> {
            let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 3);
            words.map(str::to_lowercase).collect()
        };
        for query in queries().into_iter().filter(|query| query.step == "semantic") {
            for market in columns(MARKETS).filter(|columns| query.expected.contains(&columns[0])) {
                let shared: Vec<_> = words(query.text)
                    .into_iter()
                    .filter(|word| words(&format!("{} {}", market[2], market[3])).contains(word))
                    .collect();
                assert!(shared.is_empty(), "{} and {}: {shared:?}", query.text, market[2]);
            }
        }
    }
}
