//! Text search of markets and posts. Each database has its own indexes for it; see `migrations`.

use std::collections::BTreeMap;

use foretell_domain::market::Phase;
use foretell_domain::search::{Phrase, SearchLanguage, SearchQuery};
use foretell_ports::market::MarketFilter;
use foretell_ports::post::PostFilter;
use foretell_ports::search::{Hit, Hits, SearchMethod, SearchPage};

use crate::connection::Connection;
use crate::dialect::searches::{self, Searched};
use crate::error::Failure;
use crate::id::DbId;
use crate::search::parameters::{Filter, HitRow, SubstringSearch};

/// A text search by a method.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextQuery<'a> {
    pub(crate) method: SearchMethod,
    pub(crate) query: &'a SearchQuery,
    pub(crate) language: SearchLanguage,
    pub(crate) page: SearchPage,
}

/// Searches markets.
pub(crate) fn markets<I: From<DbId>>(
    connection: &mut Connection<'_>,
    query: TextQuery<'_>,
    filter: &MarketFilter,
) -> Result<Hits<I>, Failure> {
    let (phase, now_us) =
        filter.phase.map_or((None, 0), |(phase, now)| (Some(phase), now.micros()));
    let filter = Filter {
        by: filter.creator_id.map(DbId::from),
        topic: filter.category.clone(),
        state: phase.map(Phase::as_str),
        now_us,
    };
    found(connection, Searched::Markets, query, &filter)
}

/// Searches posts.
pub(crate) fn posts<I: From<DbId>>(
    connection: &mut Connection<'_>,
    query: TextQuery<'_>,
    filter: &PostFilter,
) -> Result<Hits<I>, Failure> {
    let filter = Filter {
        by: filter.author_id.map(DbId::from),
        topic: filter.tag.as_ref().map(|tag| tag.as_str().to_owned()),
        state: Some(filter.status.as_str()),
        now_us: 0,
    };
    found(connection, Searched::Posts, query, &filter)
}

fn found<I: From<DbId>>(
    connection: &mut Connection<'_>,
    searched: Searched,
    TextQuery { method, query, language, page }: TextQuery<'_>,
    filter: &Filter,
) -> Result<Hits<I>, Failure> {
    // The best score of each match: it may match several alternatives.
    let mut scores: BTreeMap<DbId, f64> = BTreeMap::new();
    let mut add = |rows: Vec<HitRow>| {
        for row in rows {
            let score = scores.entry(row.id).or_insert(row.score);
            *score = score.max(row.score);
        }
    };
    match method {
        SearchMethod::FullText if query.alternatives().is_empty() => {}
        SearchMethod::FullText => add(match connection {
            Connection::Sqlite(c) => {
                searches::by_words_on_sqlite(c, searched, &for_sqlite(query, language), filter)?
            }
            Connection::Postgres(c) => {
                searches::by_words_on_postgres(c, searched, &for_postgres(query, language), filter)?
            }
        }),
        SearchMethod::Substring => {
            for parts in query.parts() {
                add(searches::by_substrings(
                    connection,
                    searched,
                    &SubstringSearch(parts),
                    filter,
                )?);
            }
        }
    }
    let mut hits: Vec<_> = scores.into_iter().collect();
    // Equal scores are ordered by id, so that all pages have the same order.
    hits.sort_by(|(one, a), (other, b)| b.total_cmp(a).then(other.cmp(one)));
    let total = i64::try_from(hits.len()).unwrap_or(i64::MAX);
    let skipped = usize::try_from(page.offset).unwrap_or(usize::MAX);
    let shown = hits.into_iter().skip(skipped).take(page.limit as usize);
    Ok(Hits { hits: shown.map(|(id, score)| Hit { id: id.into(), score }).collect(), total })
}

/// Formats phrases with `write`, which receives the stems of each phrase.
fn phrases(
    phrases: &[Phrase],
    language: SearchLanguage,
    write: impl Fn(Vec<String>) -> String,
) -> Vec<String> {
    phrases.iter().map(|phrase| write(phrase.stems(language))).collect()
}

/// Formats a query for FTS5: each word is quoted, so that none is an operator.
fn for_sqlite(query: &SearchQuery, language: SearchLanguage) -> String {
    let all = |list: &[Phrase], between: &str| {
        phrases(list, language, |words| format!("\"{}\"", words.join(" "))).join(between)
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

/// Formats a query as a `tsquery`: each word is quoted, so that none is an operator.
fn for_postgres(query: &SearchQuery, language: SearchLanguage) -> String {
    let write = |words: Vec<String>| {
        let words: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
        format!("({})", words.join(" <-> "))
    };
    let alternatives = query.alternatives().iter().map(|alternative| {
        let wanted = phrases(&alternative.wanted, language, write);
        let unwanted = phrases(&alternative.unwanted, language, write);
        let unwanted = unwanted.into_iter().map(|phrase| format!("!{phrase}"));
        format!("({})", wanted.into_iter().chain(unwanted).collect::<Vec<_>>().join(" & "))
    });
    alternatives.collect::<Vec<_>>().join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_is_formatted_for_each_database() {
        let query = SearchQuery::parse("rains \"heavy snow\" -hail -fog or sun").unwrap();
        let sqlite = "((\"rain\" AND \"heavi snow\") NOT (\"hail\" OR \"fog\")) OR (\"sun\")";
        assert_eq!(for_sqlite(&query, SearchLanguage::ENGLISH), sqlite);
        let postgres = "(('rain') & ('heavi' <-> 'snow') & !('hail') & !('fog')) | (('sun'))";
        assert_eq!(for_postgres(&query, SearchLanguage::ENGLISH), postgres);
    }

    #[test]
    fn substrings_are_formatted_for_each_database() {
        let query = SearchQuery::parse("a\\ bcd aaaaaaaa 50% -x_y").unwrap();
        let search = SubstringSearch(&query.parts()[0]);
        assert_eq!(search.wanted_json(), "[\"aaaaaaaa\",\"bcd\",\"50%\",\"a\\\\\"]");
        assert_eq!(search.unwanted_json(), "[\"x_y\"]");
        assert_eq!(search.trigrams().unwrap(), "\"aaa\" AND \"bcd\" AND \"50%\"");
        assert_eq!(search.longest_pattern(), "%aaaaaaaa%");
        assert_eq!(search.wanted_patterns()[2], "%50\\%%");
        assert_eq!(search.unwanted_patterns(), ["%x\\_y%"]);
        let few = SearchQuery::parse("ab").unwrap();
        assert_eq!(SubstringSearch(&few.parts()[0]).trigrams(), None);
    }
}
