//! Parameters and rows of the search statements.

use diesel::prelude::*;
use diesel::sql_types::Double;
use foretell_domain::search::Parts;

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
    pub(crate) id: DbId,
    #[diesel(sql_type = Double)]
    pub(crate) score: f64,
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

/// A substring search.
pub(crate) struct SubstringSearch<'a>(pub(crate) &'a Parts);

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
