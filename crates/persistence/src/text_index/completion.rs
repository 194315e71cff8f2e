//! Indexing of texts that are not indexed yet, and rebuilding of the whole index.

use std::sync::atomic::Ordering;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use foretell_domain::search::{INDEX_VERSION, SearchLanguage};

use super::{FIRST, NewText, TextIndex, put};
use crate::connection::{Connection, on};
use crate::dialect::searches::Searched;
use crate::error::Failure;
use crate::id::{DbId, Id};
use crate::prepared::prepared;

/// Number of markets and posts that are indexed in one unit of work.
const CHUNKS: [(Searched, i64); 2] = [(Searched::Markets, 200), (Searched::Posts, 25)];

// Locked, so that no other unit changes a text after it was read and before its index is written.
macro_rules! missing {
    ($things:literal, $title:literal, $body:literal, $texts:literal, $id:literal, $lock:literal) => {
        concat!(
            "SELECT id, ",
            $title,
            " AS title, ",
            $body,
            " AS body FROM ",
            $things,
            " WHERE id > ? AND NOT EXISTS (SELECT 1 FROM ",
            $texts,
            " WHERE ",
            $id,
            " = ",
            $things,
            ".id)
            ORDER BY id LIMIT ?",
            $lock
        )
    };
}
const LOCK: [&str; 2] = [
    missing!("markets", "name", "description", "market_texts", "market_id", " FOR NO KEY UPDATE"),
    missing!("posts", "title", "content", "post_texts", "post_id", " FOR NO KEY UPDATE"),
];
const MISSING: [&str; 2] = [
    missing!("markets", "name", "description", "market_texts", "market_id", ""),
    missing!("posts", "title", "content", "post_texts", "post_id", ""),
];

/// Tables of the index on SQLite. The full-text tables contain only the index: the texts are stored
/// elsewhere.
// The tokenizer is `ascii` since the program divides and stems the words (ADR 0027). `detail =
// none` stores no positions of trigrams: matches are compared with the text anyway.
const SQLITE_TABLES: &str = "
DROP TABLE IF EXISTS market_trigrams;
DROP TABLE IF EXISTS market_words;
DROP TABLE IF EXISTS market_texts;
DROP TABLE IF EXISTS post_trigrams;
DROP TABLE IF EXISTS post_words;
DROP TABLE IF EXISTS post_texts;
CREATE TABLE market_texts (
    row INTEGER PRIMARY KEY,
    market_id BLOB NOT NULL UNIQUE REFERENCES markets (id) ON DELETE CASCADE,
    substrings TEXT NOT NULL
) STRICT;
CREATE VIRTUAL TABLE market_words USING fts5 (
    title, body, content = '', contentless_delete = 1, tokenize = 'ascii'
);
CREATE VIRTUAL TABLE market_trigrams USING fts5 (
    substrings, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1'
);
CREATE TABLE post_texts (
    row INTEGER PRIMARY KEY,
    post_id BLOB NOT NULL UNIQUE REFERENCES posts (id) ON DELETE CASCADE,
    substrings TEXT NOT NULL
) STRICT;
CREATE VIRTUAL TABLE post_words USING fts5 (
    title, body, content = '', contentless_delete = 1, tokenize = 'ascii'
);
CREATE VIRTUAL TABLE post_trigrams USING fts5 (
    substrings, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1'
);";

/// Tables of SQLite, each with a statement that fails if it is missing or broken.
const SQLITE_CHECKS: [(&str, &str); 6] = [
    ("market_texts", "SELECT row FROM market_texts LIMIT 1"),
    ("market_words", "SELECT rowid FROM market_words WHERE market_words MATCH '\"a\"' LIMIT 1"),
    (
        "market_trigrams",
        "SELECT rowid FROM market_trigrams WHERE market_trigrams MATCH '\"aaa\"' LIMIT 1",
    ),
    ("post_texts", "SELECT row FROM post_texts LIMIT 1"),
    ("post_words", "SELECT rowid FROM post_words WHERE post_words MATCH '\"a\"' LIMIT 1"),
    (
        "post_trigrams",
        "SELECT rowid FROM post_trigrams WHERE post_trigrams MATCH '\"aaa\"' LIMIT 1",
    ),
];

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Id)]
    id: DbId,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    body: String,
}

/// Indexes texts that are not indexed, and returns their number; 0 if all are. An index of another
/// language or version, or with a broken table, is cleared first.
pub(crate) fn complete(
    connection: &mut Connection<'_>,
    index: &TextIndex,
) -> Result<usize, Failure> {
    // Failures from now on are repaired by the next call.
    index.is_broken.store(false, Ordering::Release);
    prepare(connection, index)?;
    let statements = match connection {
        // SQLite has one writer, which needs no row lock.
        Connection::Sqlite(_) => MISSING,
        Connection::Postgres(_) => LOCK,
    };
    let mut passed = index.passed();
    for (((searched, chunk), statement), passed) in
        CHUNKS.into_iter().zip(statements).zip(passed.iter_mut())
    {
        let rows: Vec<TextRow> = on!(connection, |c| {
            prepared(statement).bind::<Id, _>(*passed).bind::<BigInt, _>(chunk).load(c)
        })?;
        let texts =
            rows.iter().map(|row| NewText { id: row.id, title: &row.title, body: &row.body });
        put(connection, index, searched, &texts.collect::<Vec<_>>())?;
        if let Some(last) = rows.last() {
            *passed = last.id;
            return Ok(rows.len());
        }
    }
    *passed = FIRST;
    index.is_complete.store(true, Ordering::Release);
    Ok(0)
}

#[derive(QueryableByName)]
struct StateRow {
    #[diesel(sql_type = Text)]
    language: String,
    #[diesel(sql_type = Integer)]
    version: i32,
}

/// Returns `true` if the index has this language and the version that this program writes.
pub(super) fn is_current(
    connection: &mut Connection<'_>,
    language: SearchLanguage,
) -> Result<bool, Failure> {
    const FIND: &str = "SELECT language, version FROM search_index";
    let found: Vec<StateRow> = on!(connection, |c| prepared(FIND).load(c))?;
    let is_current =
        |state: &StateRow| state.language == language.name() && state.version == INDEX_VERSION;
    Ok(found.first().is_some_and(is_current))
}

/// Returns the tables of SQLite that are missing or cannot be read.
pub(super) fn broken_tables(c: &mut SqliteConnection) -> Vec<&'static str> {
    let mut broken = Vec::new();
    for (table, check) in SQLITE_CHECKS {
        if prepared(check).execute(c).is_err() {
            broken.push(table);
        }
    }
    broken
}

/// Clears an index of another language or version.
fn prepare(connection: &mut Connection<'_>, index: &TextIndex) -> Result<(), Failure> {
    const FORGET: &str = "DELETE FROM search_index";
    const SAVE: &str = "INSERT INTO search_index (id, language, version) VALUES (1, ?, ?)";
    const EMPTY: &str = "DELETE FROM market_texts; DELETE FROM post_texts;";
    let is_current = is_current(connection, index.language)?;
    let is_sound = match connection {
        Connection::Sqlite(c) => broken_tables(c).is_empty(),
        Connection::Postgres(_) => true,
    };
    // Stems depend on language and version: entries of another one would not be found.
    if is_current && is_sound {
        return Ok(());
    }
    tracing::info!(language = index.language.name(), is_sound, "building the search index");
    index.restart();
    match connection {
        Connection::Sqlite(c) => c.batch_execute(SQLITE_TABLES)?,
        Connection::Postgres(c) => c.batch_execute(EMPTY)?,
    }
    on!(connection, |c| prepared(FORGET).execute(c))?;
    on!(connection, |c| {
        prepared(SAVE)
            .bind::<Text, _>(index.language.name())
            .bind::<Integer, _>(INDEX_VERSION)
            .execute(c)
    })?;
    Ok(())
}

/// Deletes the stored language of the index, so that [`complete`] rebuilds it.
pub(crate) fn clear(connection: &mut Connection<'_>) -> Result<(), Failure> {
    on!(connection, |c| prepared("DELETE FROM search_index").execute(c))?;
    Ok(())
}
