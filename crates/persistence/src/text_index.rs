//! Text indexes of searches: `market_texts` and `post_texts`, and on SQLite the full-text tables
//! beside them.
//!
//! They are written in the unit of work that writes a text. On SQLite a missing or broken full-text
//! table never fails that unit: it is logged once, and the index is rebuilt in the background.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Text};
use foretell_domain::search::{INDEX_VERSION, IndexedText, SearchLanguage};

use crate::connection::{Connection, on};
use crate::dialect::classify;
use crate::dialect::searches::Searched;
use crate::error::Failure;
use crate::id::{DbId, Id};
use crate::prepared::prepared;

/// Number of markets and posts that are indexed in one unit of work.
const CHUNKS: [(Searched, i64); 2] = [(Searched::Markets, 200), (Searched::Posts, 25)];

/// Start of all markets and posts.
const FIRST: [DbId; 2] = [DbId::NIL; 2];

/// Last position of a `tsvector`, maximum number of positions of a word, and distance between title
/// and text.
const LAST_POSITION: usize = 16_383;
const MAX_POSITIONS: usize = 255;
const GAP: usize = 10;

/// State of the index in this process.
#[derive(Debug)]
pub(crate) struct TextIndex {
    pub(crate) language: SearchLanguage,
    /// `true` if all texts were indexed at the last check.
    is_complete: AtomicBool,
    /// `true` if a full-text table has failed since.
    is_broken: AtomicBool,
    /// Last market and last post of the current pass.
    passed: Mutex<[DbId; 2]>,
}

impl TextIndex {
    pub(crate) fn new(language: SearchLanguage) -> Self {
        let passed = Mutex::new(FIRST);
        Self { language, is_complete: AtomicBool::default(), is_broken: AtomicBool::default(), passed }
    }

    /// Restarts the pass at the first text.
    pub(crate) fn restart(&self) {
        *self.passed() = FIRST;
    }

    fn passed(&self) -> MutexGuard<'_, [DbId; 2]> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns `true` if all texts are indexed, as far as this process knows.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete.load(Ordering::Acquire) && !self.is_broken.load(Ordering::Acquire)
    }

    /// Ignores the error of a missing or broken full-text table, and remembers it.
    fn tolerate(&self, result: QueryResult<()>) -> Result<(), Failure> {
        match result {
            Err(error) if classify::is_broken_index(&error) => {
                // Logged once: every write of a text would repeat it until the index is rebuilt.
                if !self.is_broken.swap(true, Ordering::AcqRel) {
                    tracing::error!(
                        %error,
                        "full-text index failed; it is rebuilt in the background"
                    );
                }
                Ok(())
            }
            result => Ok(result?),
        }
    }
}

/// A text to index.
#[derive(Debug)]
pub(crate) struct NewText<'a> {
    pub(crate) id: DbId,
    pub(crate) title: &'a str,
    pub(crate) body: &'a str,
}

/// Statements for markets or posts on SQLite.
struct OnSqlite {
    insert: &'static str,
    insert_words: &'static str,
    insert_trigrams: &'static str,
    delete_words: &'static str,
    delete_trigrams: &'static str,
    delete: &'static str,
}

macro_rules! on_sqlite {
    ($texts:literal, $words:literal, $trigrams:literal, $id:literal) => {
        OnSqlite {
            insert: concat!("INSERT INTO ", $texts, " (", $id, ", substrings) VALUES (?, ?) RETURNING row"),
            insert_words: concat!(
                "INSERT OR REPLACE INTO ",
                $words,
                " (rowid, title, body) VALUES (?, ?, ?)"
            ),
            insert_trigrams: concat!(
                "INSERT OR REPLACE INTO ",
                $trigrams,
                " (rowid, substrings) VALUES (?, ?)"
            ),
            delete_words: concat!(
                "DELETE FROM ",
                $words,
                " WHERE rowid IN (SELECT row FROM ",
                $texts,
                " WHERE ",
                $id,
                " = ?)"
            ),
            delete_trigrams: concat!(
                "DELETE FROM ",
                $trigrams,
                " WHERE rowid IN (SELECT row FROM ",
                $texts,
                " WHERE ",
                $id,
                " = ?)"
            ),
            delete: concat!("DELETE FROM ", $texts, " WHERE ", $id, " = ?"),
        }
    };
}
const MARKETS_ON_SQLITE: OnSqlite =
    on_sqlite!("market_texts", "market_words", "market_trigrams", "market_id");
const POSTS_ON_SQLITE: OnSqlite = on_sqlite!("post_texts", "post_words", "post_trigrams", "post_id");

macro_rules! on_postgres {
    ($texts:literal, $id:literal) => {
        concat!(
            "INSERT INTO ", $texts, " (", $id, ", words, substrings)
            SELECT id, CAST(words AS tsvector), substrings FROM unnest(?, ?, ?) AS new (id, words, substrings)
            ON CONFLICT (", $id, ") DO UPDATE SET words = excluded.words, substrings = excluded.substrings"
        )
    };
}
const PUT_MARKETS: &str = on_postgres!("market_texts", "market_id");
const PUT_POSTS: &str = on_postgres!("post_texts", "post_id");

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

/// Reads each table, and so fails if one is missing or broken.
const SQLITE_CHECKS: [&str; 4] = [
    "SELECT row FROM market_words JOIN market_texts ON row = market_words.rowid WHERE market_words MATCH '\"a\"' LIMIT 1",
    "SELECT rowid FROM market_trigrams WHERE market_trigrams MATCH '\"aaa\"' LIMIT 1",
    "SELECT row FROM post_words JOIN post_texts ON row = post_words.rowid WHERE post_words MATCH '\"a\"' LIMIT 1",
    "SELECT rowid FROM post_trigrams WHERE post_trigrams MATCH '\"aaa\"' LIMIT 1",
];

/// Indexes texts, and replaces their previous index entries.
pub(crate) fn put(
    connection: &mut Connection<'_>,
    index: &TextIndex,
    searched: Searched,
    texts: &[NewText<'_>],
) -> Result<(), Failure> {
    if texts.is_empty() {
        return Ok(());
    }
    let indexed = texts.iter().map(|text| (text.id, IndexedText::new(text.title, text.body, index.language)));
    match connection {
        Connection::Sqlite(c) => {
            for (id, text) in indexed {
                let put =
                    remove_on_sqlite(c, searched, id).and_then(|()| put_on_sqlite(c, searched, id, &text));
                index.tolerate(put)?;
            }
        }
        Connection::Postgres(c) => {
            let indexed: Vec<_> = indexed.collect();
            let statement = match searched {
                Searched::Markets => PUT_MARKETS,
                Searched::Posts => PUT_POSTS,
            };
            prepared(statement)
                .bind::<Array<Id>, _>(indexed.iter().map(|(id, _)| *id).collect::<Vec<_>>())
                .bind::<Array<Text>, _>(indexed.iter().map(|(_, text)| vector(text)).collect::<Vec<_>>())
                .bind::<Array<Text>, _>(
                    indexed.iter().map(|(_, text)| text.substrings.as_str()).collect::<Vec<_>>(),
                )
                .execute(*c)?;
        }
    }
    Ok(())
}

/// Removes texts from the index before they are deleted. On Postgres, foreign keys do this.
pub(crate) fn remove(
    connection: &mut Connection<'_>,
    index: &TextIndex,
    searched: Searched,
    ids: &[DbId],
) -> Result<(), Failure> {
    let Connection::Sqlite(c) = connection else { return Ok(()) };
    ids.iter().try_for_each(|id| index.tolerate(remove_on_sqlite(c, searched, *id)))
}

const fn on_sqlite(searched: Searched) -> &'static OnSqlite {
    match searched {
        Searched::Markets => &MARKETS_ON_SQLITE,
        Searched::Posts => &POSTS_ON_SQLITE,
    }
}

fn remove_on_sqlite(c: &mut SqliteConnection, searched: Searched, id: DbId) -> QueryResult<()> {
    let OnSqlite { delete_words, delete_trigrams, delete, .. } = on_sqlite(searched);
    for statement in [delete_words, delete_trigrams, delete] {
        prepared(statement).bind::<Id, _>(id).execute(c)?;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct RowNumber {
    #[diesel(sql_type = BigInt)]
    row: i64,
}

fn put_on_sqlite(
    c: &mut SqliteConnection,
    searched: Searched,
    id: DbId,
    text: &IndexedText,
) -> QueryResult<()> {
    let OnSqlite { insert, insert_words, insert_trigrams, .. } = on_sqlite(searched);
    let substrings = text.substrings.as_str();
    let RowNumber { row } = prepared(insert).bind::<Id, _>(id).bind::<Text, _>(substrings).get_result(c)?;
    prepared(insert_words)
        .bind::<BigInt, _>(row)
        .bind::<Text, _>(text.title.join(" "))
        .bind::<Text, _>(text.body.join(" "))
        .execute(c)?;
    prepared(insert_trigrams).bind::<BigInt, _>(row).bind::<Text, _>(substrings).execute(c)?;
    Ok(())
}

/// Returns the words of a text as a `tsvector`, those of the title with the weight A. Words contain
/// no punctuation, so they need no escapes; a word of a long text has only as many positions as
/// Postgres stores.
fn vector(text: &IndexedText) -> String {
    let title = (1..).zip(&text.title).map(|(position, word)| (position, word, "A"));
    let body = (1 + text.title.len() + GAP..).zip(&text.body).map(|(position, word)| (position, word, ""));
    let mut positions: std::collections::BTreeMap<&str, Vec<String>> = std::collections::BTreeMap::new();
    for (position, word, weight) in title.chain(body) {
        let of_word = positions.entry(word).or_default();
        if position <= LAST_POSITION && of_word.len() < MAX_POSITIONS {
            of_word.push(format!("{position}{weight}"));
        }
    }
    let words = positions.iter().map(|(word, positions)| format!("'{word}':{}", positions.join(",")));
    words.filter(|word| !word.ends_with(':')).collect::<Vec<_>>().join(" ")
}

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
pub(crate) fn complete(connection: &mut Connection<'_>, index: &TextIndex) -> Result<usize, Failure> {
    // Failures from now on are repaired by the next call.
    index.is_broken.store(false, Ordering::Release);
    prepare(connection, index)?;
    let statements = match connection {
        Connection::Sqlite(_) => MISSING,
        Connection::Postgres(_) => LOCK,
    };
    let mut passed = index.passed();
    for (((searched, chunk), statement), passed) in CHUNKS.into_iter().zip(statements).zip(passed.iter_mut())
    {
        let rows: Vec<TextRow> = on!(connection, |c| {
            prepared(statement).bind::<Id, _>(*passed).bind::<BigInt, _>(chunk).load(c)
        })?;
        let texts = rows.iter().map(|row| NewText { id: row.id, title: &row.title, body: &row.body });
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

/// Clears an index of another language or version.
fn prepare(connection: &mut Connection<'_>, index: &TextIndex) -> Result<(), Failure> {
    const FIND: &str = "SELECT language, version FROM search_index";
    const FORGET: &str = "DELETE FROM search_index";
    const SAVE: &str = "INSERT INTO search_index (id, language, version) VALUES (1, ?, ?)";
    const EMPTY: &str = "DELETE FROM market_texts; DELETE FROM post_texts;";
    let found: Vec<StateRow> = on!(connection, |c| prepared(FIND).load(c))?;
    let is_current = found
        .first()
        .is_some_and(|state| state.language == index.language.name() && state.version == INDEX_VERSION);
    let is_sound = match connection {
        Connection::Sqlite(c) => SQLITE_CHECKS.into_iter().all(|check| prepared(check).execute(*c).is_ok()),
        Connection::Postgres(_) => true,
    };
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
        prepared(SAVE).bind::<Text, _>(index.language.name()).bind::<Integer, _>(INDEX_VERSION).execute(c)
    })?;
    Ok(())
}

/// Deletes the stored language of the index, so that [`complete`] rebuilds it.
pub(crate) fn clear(connection: &mut Connection<'_>) -> Result<(), Failure> {
    on!(connection, |c| prepared("DELETE FROM search_index").execute(c))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vector_has_positions_and_weights() {
        let text = IndexedText::new("Rain, rain", "No rain.", SearchLanguage::ENGLISH);
        assert_eq!(vector(&text), "'no':13 'rain':1A,2A,14");
        let long = IndexedText::new("x", &"rain ".repeat(4_000), SearchLanguage::ENGLISH);
        assert_eq!(vector(&long).matches(',').count(), MAX_POSITIONS - 1);
    }
}
