//! The statements of searches, which each database has a way of its own for. Every one gives the total beside each hit.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use foretell_domain::search::SearchQuery;

use crate::connection::Connection;
use crate::id::Id;
use crate::prepared::{Prepared, Value, prepared};
use crate::searches::{HitRow, Search, for_postgres, for_sqlite};

/// What is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Searched {
    /// Markets.
    Markets,
    /// Posts.
    Posts,
}

/// The fewest characters that an index of trigrams finds.
const TRIGRAM: usize = 3;

/// Which of the markets joined to the texts are wanted, and in which order they come.
macro_rules! market_end {
    () => {
        " AND (? IS NULL OR markets.creator_id = ?) AND (? IS NULL OR markets.category = ?)
        AND (? IS NULL OR ? = CASE WHEN market_states.phase = 'open' AND markets.ends_at_us <= ? THEN 'closed'
            ELSE market_states.phase END)
        ORDER BY score DESC, id DESC LIMIT ? OFFSET ?"
    };
}

/// The same of the posts; the moment says nothing.
macro_rules! post_end {
    () => {
        " AND (? IS NULL OR posts.author_id = ?)
        AND (? IS NULL OR EXISTS (SELECT 1 FROM post_tags WHERE post_id = posts.id AND tag = ?))
        AND (? IS NULL OR posts.status = ?) AND ? >= 0
        ORDER BY score DESC, id DESC LIMIT ? OFFSET ?"
    };
}

const SQLITE_MARKETS_BY_WORDS: &str = concat!(
    "WITH hits AS MATERIALIZED (
        SELECT rowid AS row, -bm25(market_words, 10.0, 1.0) AS score FROM market_words WHERE market_words MATCH ?
    )
    SELECT markets.id AS id, hits.score AS score, count(*) OVER () AS total
    FROM hits JOIN market_texts ON market_texts.row = hits.row
    JOIN markets ON markets.id = market_texts.market_id JOIN market_states ON market_states.market_id = markets.id
    WHERE TRUE",
    market_end!()
);
const SQLITE_MARKETS_BY_PARTS: &str = concat!(
    "SELECT markets.id AS id, CASE WHEN markets.name LIKE ? ESCAPE '\\' THEN 2.0 ELSE 1.0 END AS score,
    count(*) OVER () AS total
    FROM market_parts JOIN market_texts ON market_texts.row = market_parts.rowid
    JOIN markets ON markets.id = market_texts.market_id JOIN market_states ON market_states.market_id = markets.id
    WHERE market_parts MATCH ?",
    market_end!()
);
const SQLITE_MARKETS_BY_FEW_CHARACTERS: &str = concat!(
    "SELECT markets.id AS id, CASE WHEN markets.name LIKE ? ESCAPE '\\' THEN 2.0 ELSE 1.0 END AS score,
    count(*) OVER () AS total
    FROM markets JOIN market_states ON market_states.market_id = markets.id
    WHERE markets.name || char(10) || markets.description LIKE ? ESCAPE '\\'",
    market_end!()
);
const SQLITE_POSTS_BY_WORDS: &str = concat!(
    "WITH hits AS MATERIALIZED (
        SELECT rowid AS row, -bm25(post_words, 10.0, 1.0) AS score FROM post_words WHERE post_words MATCH ?
    )
    SELECT posts.id AS id, hits.score AS score, count(*) OVER () AS total
    FROM hits JOIN post_texts ON post_texts.row = hits.row
    JOIN posts ON posts.id = post_texts.post_id WHERE TRUE",
    post_end!()
);
const SQLITE_POSTS_BY_PARTS: &str = concat!(
    "SELECT posts.id AS id, CASE WHEN posts.title LIKE ? ESCAPE '\\' THEN 2.0 ELSE 1.0 END AS score,
    count(*) OVER () AS total
    FROM post_parts JOIN post_texts ON post_texts.row = post_parts.rowid
    JOIN posts ON posts.id = post_texts.post_id WHERE post_parts MATCH ?",
    post_end!()
);
const SQLITE_POSTS_BY_FEW_CHARACTERS: &str = concat!(
    "SELECT posts.id AS id, CASE WHEN posts.title LIKE ? ESCAPE '\\' THEN 2.0 ELSE 1.0 END AS score,
    count(*) OVER () AS total
    FROM posts WHERE posts.title || char(10) || posts.content LIKE ? ESCAPE '\\'",
    post_end!()
);

const POSTGRES_MARKETS_BY_WORDS: &str = concat!(
    "SELECT markets.id AS id, ts_rank_cd(markets.search_vector, wanted)::double precision AS score,
    count(*) OVER () AS total
    FROM websearch_to_tsquery('simple', ?) AS wanted, markets
    JOIN market_states ON market_states.market_id = markets.id WHERE markets.search_vector @@ wanted",
    market_end!()
);
const POSTGRES_MARKETS_BY_PARTS: &str = concat!(
    "SELECT markets.id AS id, CASE WHEN markets.name ILIKE ? THEN 2.0 ELSE 1.0 END::double precision AS score,
    count(*) OVER () AS total
    FROM markets JOIN market_states ON market_states.market_id = markets.id, (SELECT ?::text AS part) AS wanted
    WHERE (markets.name ILIKE part OR markets.description ILIKE part)",
    market_end!()
);
const POSTGRES_POSTS_BY_WORDS: &str = concat!(
    "SELECT posts.id AS id, ts_rank_cd(posts.search_vector, wanted)::double precision AS score,
    count(*) OVER () AS total
    FROM websearch_to_tsquery('simple', ?) AS wanted, posts WHERE posts.search_vector @@ wanted",
    post_end!()
);
const POSTGRES_POSTS_BY_PARTS: &str = concat!(
    "SELECT posts.id AS id, CASE WHEN posts.title ILIKE ? THEN 2.0 ELSE 1.0 END::double precision AS score,
    count(*) OVER () AS total
    FROM posts, (SELECT ?::text AS part) AS wanted WHERE (posts.title ILIKE part OR posts.content ILIKE part)",
    post_end!()
);

/// Binds what all statements end with.
macro_rules! bind_end {
    ($statement:expr, $search:expr) => {{
        let search: Search = $search;
        $statement
            .bind::<Nullable<Id>, _>(search.by)
            .bind::<Nullable<Id>, _>(search.by)
            .bind::<Nullable<Text>, _>(search.topic.clone())
            .bind::<Nullable<Text>, _>(search.topic)
            .bind::<Nullable<Text>, _>(search.state)
            .bind::<Nullable<Text>, _>(search.state)
            .bind::<BigInt, _>(search.now_us)
            .bind::<BigInt, _>(i64::from(search.page.limit))
            .bind::<BigInt, _>(search.page.offset)
    }};
}

/// What is found by words.
pub(crate) fn by_words(
    connection: &mut Connection<'_>,
    searched: Searched,
    query: &SearchQuery,
    search: impl FnOnce(String) -> Search,
) -> QueryResult<Vec<HitRow>> {
    match connection {
        Connection::Sqlite(c) => {
            let search = search(for_sqlite(query));
            let text = match searched {
                Searched::Markets => SQLITE_MARKETS_BY_WORDS,
                Searched::Posts => SQLITE_POSTS_BY_WORDS,
            };
            {
                let statement = prepared(text).bind::<Text, _>(search.wanted.clone());
                bind_end!(statement, search)
            }
            .load(*c)
        }
        Connection::Postgres(c) => {
            let search = search(for_postgres(query));
            let text = match searched {
                Searched::Markets => POSTGRES_MARKETS_BY_WORDS,
                Searched::Posts => POSTGRES_POSTS_BY_WORDS,
            };
            {
                let statement = prepared(text).bind::<Text, _>(search.wanted.clone());
                bind_end!(statement, search)
            }
            .load(*c)
        }
    }
}

/// What has a text in it.
pub(crate) fn by_part(
    connection: &mut Connection<'_>,
    searched: Searched,
    search: Search,
) -> QueryResult<Vec<HitRow>> {
    let like = like(&search.wanted);
    match connection {
        Connection::Sqlite(c) => {
            let has_trigram = search.wanted.chars().count() >= TRIGRAM;
            let text = match (searched, has_trigram) {
                (Searched::Markets, true) => SQLITE_MARKETS_BY_PARTS,
                (Searched::Markets, false) => SQLITE_MARKETS_BY_FEW_CHARACTERS,
                (Searched::Posts, true) => SQLITE_POSTS_BY_PARTS,
                (Searched::Posts, false) => SQLITE_POSTS_BY_FEW_CHARACTERS,
            };
            let quoted = format!("\"{}\"", search.wanted.replace('"', "\"\""));
            let part = if has_trigram { quoted } else { like.clone() };
            bind_end!(both(text, like, part), search).load(*c)
        }
        Connection::Postgres(c) => {
            let text = match searched {
                Searched::Markets => POSTGRES_MARKETS_BY_PARTS,
                Searched::Posts => POSTGRES_POSTS_BY_PARTS,
            };
            bind_end!(both(text, like.clone(), like), search).load(*c)
        }
    }
}

/// A statement with two texts before what all end with.
type WithTexts = Prepared<(((), Value<Text, String>), Value<Text, String>)>;

fn both(text: &'static str, first: String, second: String) -> WithTexts {
    prepared(text).bind::<Text, _>(first).bind::<Text, _>(second)
}

/// The pattern of everything with this text in it, none of whose characters has a meaning.
fn like(part: &str) -> String {
    format!("%{}%", part.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}
