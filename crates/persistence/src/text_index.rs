//! Text indexes of searches: `market_texts` and `post_texts`, and on SQLite the full-text tables
//! beside them.
//!
//! They are written in the unit of work that writes a text. On SQLite a missing or broken full-text
//! table never fails that unit: it is logged once, and the index is rebuilt in the background.

mod completion;
mod status;
mod tsvector;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};
use foretell_domain::search::{IndexedText, SearchLanguage};

use crate::connection::Connection;
use crate::dialect::classify;
use crate::dialect::searches::Searched;
use crate::error::Failure;
use crate::id::{DbId, Id};
use crate::prepared::prepared;

pub(crate) use completion::{clear, complete};
pub use status::{MissingIndex, SearchIndexStatus};

/// Start of all markets and posts.
const FIRST: [DbId; 2] = [DbId::NIL; 2];

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
        Self {
            language,
            is_complete: AtomicBool::default(),
            is_broken: AtomicBool::default(),
            passed,
        }
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
            insert: concat!(
                "INSERT INTO ",
                $texts,
                " (",
                $id,
                ", substrings) VALUES (?, ?) RETURNING row"
            ),
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
const POSTS_ON_SQLITE: OnSqlite =
    on_sqlite!("post_texts", "post_words", "post_trigrams", "post_id");

macro_rules! on_postgres {
    ($texts:literal, $id:literal) => {
        concat!(
            "INSERT INTO ",
            $texts,
            " (",
            $id,
            ", words, substrings)
            SELECT id, CAST(words AS tsvector), substrings
            FROM unnest(?, ?, ?) AS new (id, words, substrings)
            ON CONFLICT (",
            $id,
            ") DO UPDATE
            SET words = excluded.words, substrings = excluded.substrings"
        )
    };
}
const PUT_MARKETS: &str = on_postgres!("market_texts", "market_id");
const PUT_POSTS: &str = on_postgres!("post_texts", "post_id");

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
    let indexed =
        texts.iter().map(|text| (text.id, IndexedText::new(text.title, text.body, index.language)));
    match connection {
        Connection::Sqlite(c) => {
            for (id, text) in indexed {
                let put = remove_on_sqlite(c, searched, id)
                    .and_then(|()| put_on_sqlite(c, searched, id, &text));
                // A failed index must not fail the text itself: see ADR 0027.
                index.tolerate(put)?;
            }
        }
        Connection::Postgres(c) => {
            let indexed: Vec<_> = indexed.collect();
            let statement = match searched {
                Searched::Markets => PUT_MARKETS,
                Searched::Posts => PUT_POSTS,
            };
            // Not tolerated here: after a failed statement, Postgres rolls the whole unit back.
            prepared(statement)
                .bind::<Array<Id>, _>(indexed.iter().map(|(id, _)| *id).collect::<Vec<_>>())
                .bind::<Array<Text>, _>(
                    indexed.iter().map(|(_, text)| tsvector::of(text)).collect::<Vec<_>>(),
                )
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
    // The table of texts last: the other two statements find their rows by it.
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
    let RowNumber { row } =
        prepared(insert).bind::<Id, _>(id).bind::<Text, _>(substrings).get_result(c)?;
    prepared(insert_words)
        .bind::<BigInt, _>(row)
        .bind::<Text, _>(text.title.join(" "))
        .bind::<Text, _>(text.body.join(" "))
        .execute(c)?;
    prepared(insert_trigrams).bind::<BigInt, _>(row).bind::<Text, _>(substrings).execute(c)?;
    Ok(())
}
