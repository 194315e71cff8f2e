//! Statements of searches and of their indexes, which differ between the databases.
//!
//! A search reads the newest matches, at most 500, and computes their scores; its caller sorts
//! them.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};

use crate::connection::Connection;
use crate::id::Id;
use crate::prepared::prepared;
use crate::search::parameters::{Filter, HitRow, SubstringSearch};

/// Kind of texts to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Searched {
    /// Markets.
    Markets,
    /// Posts.
    Posts,
}

/// Maximum number of matches that are scored, the newest ones.
macro_rules! max_hits {
    () => {
        "500"
    };
}

/// Number of the newest texts that are searched for a substring of fewer than three characters.
macro_rules! max_scanned {
    () => {
        "1000"
    };
}

/// Filter of markets.
// A market that has ended counts as closed, even before the job that closes it has run. Every
// condition is in every statement, so that there is one text for all filters, which is prepared
// once.
macro_rules! market_filter {
    () => {
        " AND (? IS NULL OR markets.creator_id = ?) AND (? IS NULL OR markets.category = ?)
        AND (? IS NULL OR ? = CASE
            WHEN market_states.phase = 'open' AND markets.ends_at_us <= ? THEN 'closed'
            ELSE market_states.phase END)"
    };
}

/// Filter of posts; the time has no effect.
macro_rules! post_filter {
    () => {
        " AND (? IS NULL OR posts.author_id = ?)
        AND (? IS NULL OR EXISTS (SELECT 1 FROM post_tags WHERE post_id = posts.id AND tag = ?))
        AND (? IS NULL OR posts.status = ?) AND ? >= 0"
    };
}

macro_rules! market_joins {
    () => {
        " JOIN markets ON markets.id = texts.market_id
        JOIN market_states ON market_states.market_id = markets.id"
    };
}

macro_rules! post_joins {
    () => {
        " JOIN posts ON posts.id = texts.post_id"
    };
}

/// Conditions on the table `texts` on SQLite: all required substrings and no excluded one; and the
/// score.
macro_rules! sqlite_substrings {
    () => {
        " AND NOT EXISTS (SELECT 1 FROM json_each(?) WHERE instr(texts.substrings, value) = 0)
        AND NOT EXISTS (SELECT 1 FROM json_each(?) WHERE instr(texts.substrings, value) > 0)"
    };
}
// The title is the first line: a text with all substrings in its title has twice the score.
macro_rules! sqlite_substring_score {
    () => {
        "CASE WHEN EXISTS (SELECT 1 FROM json_each(?)
            WHERE instr(texts.substrings, value) > instr(texts.substrings, char(10))) THEN 1.0
            ELSE 2.0 END AS score"
    };
}

// The index is read from its newest entry on, until there are enough matches: only those are
// scored. `CROSS JOIN` fixes this join order in SQLite. `foretell_go_on` fails after the query was
// cancelled.
// FTS5 gives better matches lower numbers, hence the sign. A word in the title counts ten times.
macro_rules! sqlite_by_words {
    ($words:literal, $texts:literal, $id:literal, $joins:expr, $filter:expr) => {
        concat!(
            "SELECT texts.",
            $id,
            " AS id, -bm25(",
            $words,
            ", 10.0, 1.0) AS score
            FROM ",
            $words,
            " CROSS JOIN ",
            $texts,
            " AS texts ON texts.row = ",
            $words,
            ".rowid",
            $joins,
            " WHERE ",
            $words,
            " MATCH ? AND foretell_go_on()",
            $filter,
            " ORDER BY ",
            $words,
            ".rowid DESC LIMIT ",
            max_hits!()
        )
    };
}
macro_rules! sqlite_by_trigrams {
    ($trigrams:literal, $texts:literal, $id:literal, $joins:expr, $filter:expr) => {
        concat!(
            "SELECT texts.",
            $id,
            " AS id, ",
            sqlite_substring_score!(),
            "
            FROM ",
            $trigrams,
            " CROSS JOIN ",
            $texts,
            " AS texts ON texts.row = ",
            $trigrams,
            ".rowid",
            $joins,
            " WHERE ",
            $trigrams,
            " MATCH ? AND foretell_go_on()",
            sqlite_substrings!(),
            $filter,
            " ORDER BY ",
            $trigrams,
            ".rowid DESC LIMIT ",
            max_hits!()
        )
    };
}
macro_rules! sqlite_by_scan {
    ($texts:literal, $id:literal, $joins:expr, $filter:expr) => {
        concat!(
            "SELECT texts.",
            $id,
            " AS id, ",
            sqlite_substring_score!(),
            "
            FROM (SELECT * FROM ",
            $texts,
            " ORDER BY row DESC LIMIT ",
            max_scanned!(),
            ") AS texts",
            $joins,
            " WHERE foretell_go_on()",
            sqlite_substrings!(),
            $filter,
            " LIMIT ",
            max_hits!()
        )
    };
}

const SQLITE_MARKETS_BY_WORDS: &str = sqlite_by_words!(
    "market_words",
    "market_texts",
    "market_id",
    market_joins!(),
    market_filter!()
);
const SQLITE_POSTS_BY_WORDS: &str =
    sqlite_by_words!("post_words", "post_texts", "post_id", post_joins!(), post_filter!());
const SQLITE_MARKETS_BY_TRIGRAMS: &str = sqlite_by_trigrams!(
    "market_trigrams",
    "market_texts",
    "market_id",
    market_joins!(),
    market_filter!()
);
const SQLITE_POSTS_BY_TRIGRAMS: &str =
    sqlite_by_trigrams!("post_trigrams", "post_texts", "post_id", post_joins!(), post_filter!());
const SQLITE_MARKETS_BY_SCAN: &str =
    sqlite_by_scan!("market_texts", "market_id", market_joins!(), market_filter!());
const SQLITE_POSTS_BY_SCAN: &str =
    sqlite_by_scan!("post_texts", "post_id", post_joins!(), post_filter!());

/// Newest matches that pass the filter, on Postgres. The matches are first read from their index,
/// in any order: otherwise Postgres would scan all texts from the newest on until there are enough.
macro_rules! postgres_newest {
    ($id:literal, $joins:expr, $filter:expr) => {
        concat!(
            ", newest AS MATERIALIZED (SELECT texts.",
            $id,
            " AS id FROM hits AS texts",
            $joins,
            " WHERE TRUE",
            $filter,
            " ORDER BY texts.",
            $id,
            " DESC LIMIT ",
            max_hits!(),
            ") "
        )
    };
}
macro_rules! postgres_by_words {
    ($texts:literal, $id:literal, $joins:expr, $filter:expr) => {
        concat!(
            "WITH hits AS MATERIALIZED (SELECT ",
            $id,
            " FROM ",
            $texts,
            " WHERE words @@ CAST(? AS tsquery))",
            postgres_newest!($id, $joins, $filter),
            "SELECT newest.id AS id,
            ts_rank_cd(texts.words, CAST(? AS tsquery))::double precision AS score
            FROM newest JOIN ",
            $texts,
            " AS texts ON texts.",
            $id,
            " = newest.id"
        )
    };
}
macro_rules! postgres_substrings {
    () => {
        " AND texts.substrings LIKE ALL (?) AND NOT texts.substrings LIKE ANY (?)"
    };
}
// The title is the first line, see `sqlite_substring_score`.
macro_rules! postgres_with_scores {
    ($texts:literal, $id:literal) => {
        concat!(
            "SELECT newest.id AS id,
            CASE WHEN split_part(texts.substrings, chr(10), 1) LIKE ALL (?) THEN 2.0 ELSE 1.0 END::double precision AS score
            FROM newest JOIN ",
            $texts,
            " AS texts ON texts.",
            $id,
            " = newest.id"
        )
    };
}
// `LIKE ALL` alone cannot use the index of trigrams, so the longest pattern is looked up in it
// first.
macro_rules! postgres_by_trigrams {
    ($texts:literal, $id:literal, $joins:expr, $filter:expr) => {
        concat!(
            "WITH hits AS MATERIALIZED (SELECT ",
            $id,
            " FROM ",
            $texts,
            " AS texts
            WHERE texts.substrings LIKE ?",
            postgres_substrings!(),
            ")",
            postgres_newest!($id, $joins, $filter),
            postgres_with_scores!($texts, $id)
        )
    };
}
// The first pattern is in `LIKE ALL` as well: it is here so that both statements have the same
// parameters.
macro_rules! postgres_by_scan {
    ($texts:literal, $id:literal, $joins:expr, $filter:expr) => {
        concat!(
            "WITH scanned AS MATERIALIZED (SELECT ",
            $id,
            ", substrings FROM ",
            $texts,
            " ORDER BY ",
            $id,
            " DESC LIMIT ",
            max_scanned!(),
            "),
            hits AS MATERIALIZED (SELECT ",
            $id,
            " FROM scanned AS texts
            WHERE texts.substrings LIKE ?",
            postgres_substrings!(),
            ")",
            postgres_newest!($id, $joins, $filter),
            postgres_with_scores!($texts, $id)
        )
    };
}

const POSTGRES_MARKETS_BY_WORDS: &str =
    postgres_by_words!("market_texts", "market_id", market_joins!(), market_filter!());
const POSTGRES_POSTS_BY_WORDS: &str =
    postgres_by_words!("post_texts", "post_id", post_joins!(), post_filter!());
const POSTGRES_MARKETS_BY_TRIGRAMS: &str =
    postgres_by_trigrams!("market_texts", "market_id", market_joins!(), market_filter!());
const POSTGRES_POSTS_BY_TRIGRAMS: &str =
    postgres_by_trigrams!("post_texts", "post_id", post_joins!(), post_filter!());
const POSTGRES_MARKETS_BY_SCAN: &str =
    postgres_by_scan!("market_texts", "market_id", market_joins!(), market_filter!());
const POSTGRES_POSTS_BY_SCAN: &str =
    postgres_by_scan!("post_texts", "post_id", post_joins!(), post_filter!());

/// Binds the values of a filter.
// Each nullable value is bound twice: for `IS NULL`, and for the comparison.
macro_rules! bind_filter {
    ($statement:expr, $filter:expr) => {
        $statement
            .bind::<Nullable<Id>, _>($filter.by)
            .bind::<Nullable<Id>, _>($filter.by)
            .bind::<Nullable<Text>, _>($filter.topic.clone())
            .bind::<Nullable<Text>, _>($filter.topic.clone())
            .bind::<Nullable<Text>, _>($filter.state)
            .bind::<Nullable<Text>, _>($filter.state)
            .bind::<BigInt, _>($filter.now_us)
    };
}

/// Searches with a query in the language of FTS5.
pub(crate) fn by_words_on_sqlite(
    connection: &mut SqliteConnection,
    searched: Searched,
    query: &str,
    filter: &Filter,
) -> QueryResult<Vec<HitRow>> {
    let text = match searched {
        Searched::Markets => SQLITE_MARKETS_BY_WORDS,
        Searched::Posts => SQLITE_POSTS_BY_WORDS,
    };
    bind_filter!(prepared(text).bind::<Text, _>(query), filter).load(connection)
}

/// Searches with a `tsquery`.
pub(crate) fn by_words_on_postgres(
    connection: &mut PgConnection,
    searched: Searched,
    query: &str,
    filter: &Filter,
) -> QueryResult<Vec<HitRow>> {
    let text = match searched {
        Searched::Markets => POSTGRES_MARKETS_BY_WORDS,
        Searched::Posts => POSTGRES_POSTS_BY_WORDS,
    };
    bind_filter!(prepared(text).bind::<Text, _>(query), filter)
        .bind::<Text, _>(query)
        .load(connection)
}

/// Searches for substrings.
pub(crate) fn by_substrings(
    connection: &mut Connection<'_>,
    searched: Searched,
    search: &SubstringSearch<'_>,
    filter: &Filter,
) -> QueryResult<Vec<HitRow>> {
    match connection {
        Connection::Sqlite(c) => {
            let wanted = search.wanted_json();
            let scored = |text| prepared(text).bind::<Text, _>(wanted.clone());
            if let Some(trigrams) = search.trigrams() {
                let text = match searched {
                    Searched::Markets => SQLITE_MARKETS_BY_TRIGRAMS,
                    Searched::Posts => SQLITE_POSTS_BY_TRIGRAMS,
                };
                let statement =
                    scored(text).bind::<Text, _>(trigrams).bind::<Text, _>(wanted.clone());
                let statement = statement.bind::<Text, _>(search.unwanted_json());
                bind_filter!(statement, filter).load(*c)
            } else {
                let text = match searched {
                    Searched::Markets => SQLITE_MARKETS_BY_SCAN,
                    Searched::Posts => SQLITE_POSTS_BY_SCAN,
                };
                let statement = scored(text).bind::<Text, _>(wanted.clone());
                let statement = statement.bind::<Text, _>(search.unwanted_json());
                bind_filter!(statement, filter).load(*c)
            }
        }
        Connection::Postgres(c) => {
            let text = match (searched, search.has_trigrams()) {
                (Searched::Markets, true) => POSTGRES_MARKETS_BY_TRIGRAMS,
                (Searched::Posts, true) => POSTGRES_POSTS_BY_TRIGRAMS,
                (Searched::Markets, false) => POSTGRES_MARKETS_BY_SCAN,
                (Searched::Posts, false) => POSTGRES_POSTS_BY_SCAN,
            };
            let wanted = search.wanted_patterns();
            let statement = prepared(text)
                .bind::<Text, _>(search.longest_pattern())
                .bind::<Array<Text>, _>(wanted.clone())
                .bind::<Array<Text>, _>(search.unwanted_patterns());
            bind_filter!(statement, filter).bind::<Array<Text>, _>(wanted).load(*c)
        }
    }
}
