//! Searching in the texts of markets and posts. Each database has indexes of its own for that; see `migrations`.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double};
use foretell_domain::market::Phase;
use foretell_domain::search::{Phrase, SearchQuery};
use foretell_ports::market::MarketFilter;
use foretell_ports::post::PostFilter;
use foretell_ports::search::{Hit, Hits, SearchMethod, SearchPage};

use crate::connection::Connection;
use crate::dialect::searches::{self, Searched};
use crate::error::Failure;
use crate::id::{DbId, Id};

/// A hit with the count of all of them.
#[derive(QueryableByName)]
pub(crate) struct HitRow {
    #[diesel(sql_type = Id)]
    id: DbId,
    #[diesel(sql_type = Double)]
    score: f64,
    #[diesel(sql_type = BigInt)]
    total: i64,
}

/// What is looked for, and among what.
#[derive(Debug)]
pub(crate) struct Search {
    /// The query in the language of the database, or the text that is to be part of what is found.
    pub(crate) wanted: String,
    /// Only of this author or creator.
    pub(crate) by: Option<DbId>,
    /// Only of this category or with this tag.
    pub(crate) topic: Option<String>,
    /// Only in this phase or status.
    pub(crate) state: Option<&'static str>,
    /// When phases are looked at.
    pub(crate) now_us: i64,
    pub(crate) page: SearchPage,
}

/// The markets that are found.
pub(crate) fn markets<I: From<DbId>>(
    connection: &mut Connection<'_>,
    method: SearchMethod,
    query: &SearchQuery,
    filter: &MarketFilter,
    page: SearchPage,
) -> Result<Hits<I>, Failure> {
    let (phase, now_us) = filter.phase.map_or((None, 0), |(phase, now)| (Some(phase), now.micros()));
    let (by, topic, state) =
        (filter.creator_id.map(DbId::from), filter.category.clone(), phase.map(Phase::as_str));
    let search = |wanted, page| Search { wanted, by, topic: topic.clone(), state, now_us, page };
    found(connection, Searched::Markets, method, query, page, search)
}

/// The posts that are found.
pub(crate) fn posts<I: From<DbId>>(
    connection: &mut Connection<'_>,
    method: SearchMethod,
    query: &SearchQuery,
    filter: &PostFilter,
    page: SearchPage,
) -> Result<Hits<I>, Failure> {
    let topic = filter.tag.as_ref().map(|tag| tag.as_str().to_owned());
    let (by, state) = (filter.author_id.map(DbId::from), Some(filter.status.as_str()));
    let search = |wanted, page| Search { wanted, by, topic: topic.clone(), state, now_us: 0, page };
    found(connection, Searched::Posts, method, query, page, search)
}

fn found<I: From<DbId>>(
    connection: &mut Connection<'_>,
    searched: Searched,
    method: SearchMethod,
    query: &SearchQuery,
    page: SearchPage,
    search: impl Fn(String, SearchPage) -> Search,
) -> Result<Hits<I>, Failure> {
    if method == SearchMethod::FullText && query.alternatives().is_empty() {
        return Ok(Hits { hits: Vec::new(), total: 0 });
    }
    let mut rows_of = |page| match method {
        SearchMethod::FullText => {
            searches::by_words(connection, searched, query, |wanted| search(wanted, page))
        }
        SearchMethod::Substring => {
            searches::by_part(connection, searched, search(query.text().to_owned(), page))
        }
    };
    let rows = rows_of(page)?;
    let total = match rows.first() {
        Some(row) => row.total,
        // Past the last hit no row tells how many there are; the first one does.
        None if page.offset > 0 => {
            rows_of(SearchPage { offset: 0, limit: 1 })?.first().map_or(0, |row| row.total)
        }
        None => 0,
    };
    let hits = rows.into_iter().map(|row| Hit { id: row.id.into(), score: row.score }).collect();
    Ok(Hits { hits, total })
}

/// A query in the language of FTS5: each word is quoted, so that none has a meaning there.
pub(crate) fn for_sqlite(query: &SearchQuery) -> String {
    let all = |phrases: &[Phrase], between: &str| {
        let quoted = phrases.iter().map(|phrase| format!("\"{}\"", phrase.words().join(" ")));
        quoted.collect::<Vec<_>>().join(between)
    };
    let alternatives = query.alternatives().iter().map(|alternative| {
        let wanted = all(&alternative.wanted, " AND ");
        match alternative.unwanted.as_slice() {
            [] => format!("({wanted})"),
            unwanted => format!("(({wanted}) NOT ({}))", all(unwanted, " OR ")),
        }
    });
    alternatives.collect::<Vec<_>>().join(" OR ")
}

/// A query in the language of `websearch_to_tsquery`.
pub(crate) fn for_postgres(query: &SearchQuery) -> String {
    let quoted = |phrase: &Phrase| format!("\"{}\"", phrase.words().join(" "));
    let alternatives = query.alternatives().iter().map(|alternative| {
        let wanted = alternative.wanted.iter().map(quoted);
        let unwanted = alternative.unwanted.iter().map(|phrase| format!("-{}", quoted(phrase)));
        wanted.chain(unwanted).collect::<Vec<_>>().join(" ")
    });
    alternatives.collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_written_for_each_database() {
        let query = SearchQuery::parse("rain \"heavy snow\" -hail -fog or sun").unwrap();
        let sqlite = "((\"rain\" AND \"heavy snow\") NOT (\"hail\" OR \"fog\")) OR (\"sun\")";
        assert_eq!(for_sqlite(&query), sqlite);
        assert_eq!(for_postgres(&query), "\"rain\" \"heavy snow\" -\"hail\" -\"fog\" or \"sun\"");
    }
}
