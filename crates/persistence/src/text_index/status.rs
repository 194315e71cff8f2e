//! State of the search index, for operators.

use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use foretell_domain::search::SearchLanguage;
use foretell_ports::error::StoreError;

use super::completion::{broken_tables, is_current};
use crate::connection::{Connection, on};
use crate::error::Failure;
use crate::prepared::prepared;
use crate::store::Store;

/// State of the search index in storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchIndexStatus {
    /// `true` if the index has the configured language and this program's version.
    pub is_current: bool,
    /// Tables of SQLite that are missing or cannot be read.
    pub broken_tables: Vec<&'static str>,
    /// Missing indexes of Postgres, without which searches read all texts.
    pub missing_indexes: Vec<MissingIndex>,
    /// Number of markets and posts that are not indexed; 0 if tables are broken.
    pub missing_texts: u64,
}

/// A missing index of a Postgres database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingIndex {
    /// Name of the index.
    pub name: String,
    /// SQL that creates it while the server runs.
    pub create: String,
}

impl Store {
    /// Reads the state of the search index, and changes nothing.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn search_index_status(&self) -> Result<SearchIndexStatus, StoreError> {
        let index = Arc::clone(self.text_index());
        self.read("search_index_status", move |c| read(c, index.language)).await
    }
}

/// Counts a text as indexed only if it is in all tables.
const MISSING_ON_SQLITE: &str = "SELECT (
    SELECT count(*) FROM markets WHERE NOT EXISTS (
        SELECT 1 FROM market_texts
        JOIN market_words_docsize AS words ON words.id = market_texts.row
        JOIN market_trigrams_docsize AS trigrams ON trigrams.id = market_texts.row
        WHERE market_texts.market_id = markets.id)
    ) + (
    SELECT count(*) FROM posts WHERE NOT EXISTS (
        SELECT 1 FROM post_texts
        JOIN post_words_docsize AS words ON words.id = post_texts.row
        JOIN post_trigrams_docsize AS trigrams ON trigrams.id = post_texts.row
        WHERE post_texts.post_id = posts.id)
    ) AS count";

const MISSING_ON_POSTGRES: &str = "SELECT (
    SELECT count(*) FROM markets
    WHERE NOT EXISTS (SELECT 1 FROM market_texts WHERE market_id = markets.id)
    ) + (
    SELECT count(*) FROM posts WHERE NOT EXISTS (SELECT 1 FROM post_texts WHERE post_id = posts.id)
    ) AS count";

// Indexes of trigrams exist only if the extension pg_trgm could be created.
const MISSING_INDEXES: &str = "
    SELECT name, 'CREATE INDEX CONCURRENTLY ' || name || ' ON ' || target AS create_index
    FROM (VALUES
        ('markets_by_words', 'market_texts USING gin (words)', false),
        ('posts_by_words', 'post_texts USING gin (words)', false),
        ('markets_by_parts', 'market_texts USING gin (substrings gin_trgm_ops)', true),
        ('posts_by_parts', 'post_texts USING gin (substrings gin_trgm_ops)', true)
    ) AS wanted (name, target, is_of_trigrams)
    WHERE to_regclass(name) IS NULL
    AND (NOT is_of_trigrams OR EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'))
    ORDER BY name";

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct IndexRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    create_index: String,
}

impl From<IndexRow> for MissingIndex {
    fn from(row: IndexRow) -> Self {
        Self { name: row.name, create: row.create_index }
    }
}

fn read(
    connection: &mut Connection<'_>,
    language: SearchLanguage,
) -> Result<SearchIndexStatus, Failure> {
    let is_current = is_current(connection, language)?;
    let (broken_tables, missing_indexes, count) = match connection {
        Connection::Sqlite(c) => (broken_tables(c), Vec::new(), MISSING_ON_SQLITE),
        Connection::Postgres(c) => {
            let rows: Vec<IndexRow> = prepared(MISSING_INDEXES).load(*c)?;
            let missing = rows.into_iter().map(MissingIndex::from).collect();
            (Vec::new(), missing, MISSING_ON_POSTGRES)
        }
    };
    let missing_texts = if broken_tables.is_empty() {
        let row: CountRow = on!(connection, |c| prepared(count).get_result(c))?;
        u64::try_from(row.count).unwrap_or(0)
    } else {
        0
    };
    Ok(SearchIndexStatus { is_current, broken_tables, missing_indexes, missing_texts })
}
