//! Text search of markets and posts. Each database has its own indexes for it; see `migrations`.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::Double;
use foretell_domain::market::Phase;
use foretell_domain::search::{Parts, Phrase, SearchLanguage, SearchQuery};
use foretell_ports::market::MarketFilter;
use foretell_ports::post::PostFilter;
use foretell_ports::search::{Hit, Hits, SearchMethod, SearchPage};

use crate::connection::Connection;
use crate::dialect::searches::{self, Searched};
use crate::error::Failure;
use crate::id::{DbId, Id};

/// Minimum number of characters that a trigram index can find.
const TRIGRAM: usize = 3;

/// Maximum number of trigrams of a substring that are looked up; the text itself is compared as
/// well.
const MAX_TRIGRAMS: usize = 12;

/// A match.
#[derive(QueryableByName)]
pub(crate) struct HitRow {
    #[diesel(sql_type = Id)]
    id: DbId,
    #[diesel(sql_type = Double)]
    score: f64,
}

/// Filter of a search.
#[derive(Debug)]
pub(crate) struct Filter {
    /// Author or creator.
    pub(crate) by: Option<DbId>,
    /// Category or tag.
    pub(crate) topic: Option<String>,
    /// Phase or status.
    pub(crate) state: Option<&'static str>,
    /// Time at which phases are evaluated.
    pub(crate) now_us: i64,
}

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

/// A substring search.
pub(crate) struct SubstringSearch<'a>(&'a Parts);

impl SubstringSearch<'_> {
    /// Returns `true` if one of the substrings is long enough for a trigram index.
    pub(crate) fn has_trigrams(&self) -> bool {
        self.0.wanted.iter().any(|part| part.chars().count() >= TRIGRAM)
    }

    /// Returns trigrams of the substrings for FTS5, if there are any.
    pub(crate) fn trigrams(&self) -> Option<String> {
        let mut trigrams = Vec::new();
        for part in &self.0.wanted {
            let chars: Vec<char> = part.chars().collect();
            for window in chars.windows(TRIGRAM) {
                let trigram = format!("\"{}\"", String::from_iter(window).replace('"', "\"\""));
                if trigrams.len() < MAX_TRIGRAMS && !trigrams.contains(&trigram) {
                    trigrams.push(trigram);
                }
            }
        }
        (!trigrams.is_empty()).then(|| trigrams.join(" AND "))
    }

    /// Returns the required substrings as a JSON array.
    pub(crate) fn wanted_json(&self) -> String {
        json(&self.0.wanted)
    }

    /// Returns the excluded substrings as a JSON array.
    pub(crate) fn unwanted_json(&self) -> String {
        json(&self.0.unwanted)
    }

    /// Returns the required substrings as patterns of `LIKE`.
    pub(crate) fn wanted_patterns(&self) -> Vec<String> {
        self.0.wanted.iter().map(|part| like(part)).collect()
    }

    /// Returns the excluded substrings as patterns of `LIKE`.
    pub(crate) fn unwanted_patterns(&self) -> Vec<String> {
        self.0.unwanted.iter().map(|part| like(part)).collect()
    }

    /// Returns the pattern of the longest required substring, which is looked up in the index.
    pub(crate) fn longest_pattern(&self) -> String {
        let longest = self.0.wanted.iter().max_by_key(|part| part.chars().count());
        longest.map_or_else(String::new, |part| like(part))
    }
}

/// Formats texts, which have no control characters, as a JSON array.
fn json(parts: &[String]) -> String {
    let quoted = parts.iter().map(|part| {
        // The backslash first, since it escapes the quotation mark.
        let escaped = part.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"")
    });
    format!("[{}]", quoted.collect::<Vec<_>>().join(","))
}

/// Returns the pattern of everything that contains this text, without wildcards in it.
fn like(part: &str) -> String {
    // The backslash first, since it escapes the other two.
    format!("%{}%", part.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
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
