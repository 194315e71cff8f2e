//! Search queries: words, quoted phrases, `or`, and a minus before excluded terms.

mod excerpt;
mod fold;
mod index;
mod language;

pub use index::{INDEX_VERSION, IndexedText};
pub use language::SearchLanguage;

use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;

/// Maximum characters of a query.
const MAX_LENGTH: u32 = 500;

/// Maximum words of a query, in all its alternatives.
const MAX_WORDS: usize = 32;

/// Maximum characters of the substrings in one alternative.
const MAX_PART_CHARS: usize = 100;

/// Maximum alternatives that are searched as substrings.
const MAX_PARTS: usize = 4;

/// Maximum words of a phrase that are compared as neighbours; longer phrases are split.
const PHRASE_WORDS: usize = 8;

/// Maximum words of all phrases, counting each character of scripts without spaces between words.
const MAX_PHRASE_WORDS: usize = 64;

/// Consecutive words. A term typed with punctuation, such as `half-time`, is a phrase of its words,
/// and so is a term in a script without spaces between words, of which each character is a word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phrase(Vec<String>);

impl Phrase {
    /// Returns the words, in lower case; one to eight, of letters and digits only.
    pub fn words(&self) -> &[String] {
        &self.0
    }

    /// Returns the stems of its words.
    pub fn stems(&self, language: SearchLanguage) -> Vec<String> {
        self.0.iter().map(|word| language.stem(word.clone())).collect()
    }
}

/// One alternative of a query: all of `wanted`, and none of `unwanted`. Phrases are distinct.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alternative {
    /// Required phrases; at least one.
    pub wanted: Vec<Phrase>,
    /// Excluded phrases.
    pub unwanted: Vec<Phrase>,
}

/// One alternative of a substring search: all of `wanted`, and none of `unwanted`, as typed but in
/// lower case, without quotes. No substring contains another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    /// Required substrings; at least one, with at most 100 characters together.
    pub wanted: Vec<String>,
    /// Excluded substrings.
    pub unwanted: Vec<String>,
}

/// A parsed query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchQuery {
    text: String,
    alternatives: Vec<Alternative>,
    parts: Vec<Parts>,
}

/// Reason why a query is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum SearchError {
    /// The query is empty or too long.
    #[error("must have 1 to {max} characters")]
    Length {
        /// Maximum characters.
        max: u32,
    },
    /// The query contains a control character.
    #[error("must be readable text")]
    Unreadable,
    /// The query has too many words.
    #[error("must have at most {max} words")]
    TooManyWords {
        /// Maximum words.
        max: usize,
    },
}

impl SearchQuery {
    /// Parses a query in any Unicode normalization form. Any text is valid syntax; an open quote
    /// ends with the text. Alternatives without a required term are ignored, and so are
    /// repetitions.
    ///
    /// # Errors
    /// [`SearchError`].
    pub fn parse(text: &str) -> Result<Self, SearchError> {
        let text: String = text.trim().nfc().collect();
        if text.is_empty() || text.chars().count() > MAX_LENGTH as usize {
            return Err(SearchError::Length { max: MAX_LENGTH });
        }
        if text.chars().any(char::is_control) {
            return Err(SearchError::Unreadable);
        }
        let tokens = tokens(&text);
        let words = tokens.iter().map(|token| match token {
            Token::Or => 0,
            Token::Phrase { text, .. } => fold::run_count(text),
        });
        if words.sum::<usize>() > MAX_WORDS {
            return Err(SearchError::TooManyWords { max: MAX_WORDS });
        }
        let (mut alternatives, mut parts) = (Vec::new(), Vec::new());
        let mut words_left = MAX_PHRASE_WORDS;
        for tokens in tokens.split(|token| matches!(token, Token::Or)) {
            push_new(&mut alternatives, phrases(tokens, &mut words_left), |alternative| {
                !alternative.wanted.is_empty()
            });
            push_new(&mut parts, parts_of(tokens), |parts| !parts.wanted.is_empty());
        }
        parts.truncate(MAX_PARTS);
        Ok(Self { text, alternatives, parts })
    }

    /// Returns the text as typed in NFC, without surrounding spaces.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the alternatives; none if the query has only punctuation and excluded terms.
    pub fn alternatives(&self) -> &[Alternative] {
        &self.alternatives
    }

    /// Returns `true` if the query consists of required words in any order: no quotes, no `or` and
    /// no minus. An embedding of its text then represents it.
    pub fn is_plain(&self) -> bool {
        let [only] = self.alternatives.as_slice() else { return false };
        only.unwanted.is_empty() && !self.text.contains('"')
    }

    /// Returns the alternatives of a substring search; at most four.
    pub fn parts(&self) -> &[Parts] {
        &self.parts
    }

    /// Iterates over the required words, in lower case.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let phrases = self.alternatives.iter().flat_map(|alternative| &alternative.wanted);
        phrases.flat_map(Phrase::words).map(String::as_str)
    }

    /// Returns an excerpt of a text as `(part, is match)`: the first match with some text around
    /// it. Matches are the required phrases or, if there are none, the substrings as typed. Empty
    /// if there is no match in the first 20,000 characters.
    ///
    /// The work is linear in the text and does not depend on the query.
    pub fn excerpt<'a>(&self, text: &'a str, language: SearchLanguage) -> Vec<(&'a str, bool)> {
        excerpt::excerpt(self, text, language)
    }
}

enum Token<'a> {
    Or,
    Phrase { text: &'a str, is_unwanted: bool },
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut rest) = (Vec::new(), text.trim_start());
    while !rest.is_empty() {
        let is_unwanted = rest.starts_with('-') && rest.len() > 1;
        let after = if is_unwanted { rest.trim_start_matches('-') } else { rest };
        let quoted = after.strip_prefix('"');
        let is_quoted = quoted.is_some();
        let (text, next) = if let Some(quoted) = quoted {
            quoted.split_once('"').unwrap_or((quoted, ""))
        } else {
            let end = after.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(after.len());
            after.split_at(end)
        };
        tokens.push(match text {
            "or" | "OR" | "Or" if !is_quoted && !is_unwanted => Token::Or,
            _ => Token::Phrase { text, is_unwanted },
        });
        rest = next.trim_start();
    }
    tokens
}

/// Adds an item that is valid and not in the list yet.
fn push_new<T: PartialEq>(list: &mut Vec<T>, item: T, is_valid: impl FnOnce(&T) -> bool) {
    if is_valid(&item) && !list.contains(&item) {
        list.push(item);
    }
}

/// Returns the phrases of one alternative, as long as words are left.
fn phrases(tokens: &[Token<'_>], words_left: &mut usize) -> Alternative {
    let mut alternative = Alternative::default();
    for token in tokens {
        let Token::Phrase { text, is_unwanted } = token else { continue };
        let list = if *is_unwanted { &mut alternative.unwanted } else { &mut alternative.wanted };
        let words = words_of(text);
        // Dropping some words of an excluded phrase would exclude more texts than dropping the
        // phrase.
        let parts = if *is_unwanted { 1 } else { usize::MAX };
        for part in words.chunks(PHRASE_WORDS).take(parts) {
            if let Some(left) = words_left.checked_sub(part.len()) {
                *words_left = left;
                push_new(list, Phrase(part.to_vec()), |_| true);
            }
        }
    }
    alternative
}

/// Returns the substrings of one alternative. Punctuation alone counts only if there is nothing
/// else.
fn parts_of(tokens: &[Token<'_>]) -> Parts {
    let has_word = |text: &str| text.contains(char::is_alphanumeric);
    let is_wanted_word = |token: &Token<'_>| matches!(token, Token::Phrase { text, is_unwanted: false } if has_word(text));
    let has_words = tokens.iter().any(is_wanted_word);
    let mut parts = Parts::default();
    for token in tokens {
        let Token::Phrase { text, is_unwanted } = token else { continue };
        let list = if *is_unwanted { &mut parts.unwanted } else { &mut parts.wanted };
        if !has_words || has_word(text) {
            list.push(substring_form(text));
        }
    }
    for list in [&mut parts.wanted, &mut parts.unwanted] {
        list.retain(|part| !part.is_empty());
        list.sort_by_key(|part| std::cmp::Reverse(part.len()));
    }
    // A text that contains a longer substring also contains its parts.
    let longest_first = std::mem::take(&mut parts.wanted);
    for part in longest_first {
        if !parts.wanted.iter().any(|longer| longer.contains(&part)) {
            parts.wanted.push(part);
        }
    }
    parts.unwanted.dedup();
    let count = |list: &[String]| list.iter().map(|part| part.chars().count()).sum::<usize>();
    if count(&parts.wanted) > MAX_PART_CHARS || count(&parts.unwanted) > MAX_PART_CHARS {
        return Parts::default();
    }
    parts
}

/// Returns the words of a text in lower case: runs of letters and digits.
fn words_of(text: &str) -> Vec<String> {
    let text: String = text.nfc().collect();
    fold::word_ranges(&text).filter_map(|range| text.get(range)).map(fold::folded).collect()
}

/// Converts a text to the form used for substring search: NFC, in lower case, each run of spaces
/// and control characters as one space.
pub fn substring_form(text: &str) -> String {
    let is_between = |c: char| c.is_whitespace() || c.is_control();
    let folded = fold::folded(text);
    let words: Vec<&str> = folded.split(is_between).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests;
