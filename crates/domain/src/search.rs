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
    let is_wanted_word =
        |token: &Token<'_>| matches!(token, Token::Phrase { text, is_unwanted: false } if has_word(text));
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the alternatives as text: words of a phrase joined by `_`, excluded ones after a
    /// `!`.
    fn shown(text: &str) -> String {
        let phrase = |phrase: &Phrase| phrase.words().join("_");
        let alternative = |alternative: &Alternative| {
            let wanted = alternative.wanted.iter().map(phrase);
            let unwanted = alternative.unwanted.iter().map(|unwanted| format!("!{}", phrase(unwanted)));
            wanted.chain(unwanted).collect::<Vec<_>>().join(" ")
        };
        let query = SearchQuery::parse(text).unwrap();
        query.alternatives().iter().map(alternative).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn words_phrases_or_and_minus_are_parsed() {
        for (text, expected) in [
            ("Rain tomorrow", "rain tomorrow"),
            ("\"rain tomorrow\" noon", "rain_tomorrow noon"),
            ("rain or snow", "rain | snow"),
            ("rain OR snow -hail", "rain | snow !hail"),
            ("rain -\"heavy snow\"", "rain !heavy_snow"),
            ("half-time", "half_time"),
            ("\"or\"", "or"),
            ("rain \"unclosed quote", "rain unclosed_quote"),
            ("rain\"snow\"", "rain snow"),
            ("or rain or", "rain"),
            ("Ünïcode ÄÖ", "ünïcode äö"),
            ("-rain", ""),
            ("--rain snow", "snow !rain"),
            ("- \"\" ( ) * : ^", ""),
            ("NEAR(rain, 5)", "near_rain 5"),
            ("東京 雨", "東_京 雨"),
            ("a b c d e f g h i", "a b c d e f g h i"),
            ("\"a b c d e f g h i\"", "a_b_c_d_e_f_g_h i"),
            ("x -\"a b c d e f g h i\"", "x !a_b_c_d_e_f_g_h"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn unsearchable_query_is_rejected() {
        let long = "x".repeat(501);
        for (text, expected) in [
            ("", SearchError::Length { max: 500 }),
            ("   ", SearchError::Length { max: 500 }),
            (&long, SearchError::Length { max: 500 }),
            ("a\0b", SearchError::Unreadable),
            (&"w ".repeat(33), SearchError::TooManyWords { max: 32 }),
        ] {
            assert_eq!(SearchQuery::parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn phrases_have_at_most_64_words() {
        let query = SearchQuery::parse(&"一二三四五六七八九十".repeat(50)).unwrap();
        assert_eq!(query.words().count(), 40, "repeated phrases are removed");
        let text: String = ('\u{4e00}'..).take(500).collect();
        assert_eq!(SearchQuery::parse(&text).unwrap().words().count(), MAX_PHRASE_WORDS);
    }

    #[test]
    fn repeated_terms_and_alternatives_are_removed() {
        for (text, expected) in [
            ("rain or ".repeat(31) + "rain", "rain"),
            ("rain Rain RAIN snow rain".to_owned(), "rain snow"),
            ("rain -hail -hail or rain -hail".to_owned(), "rain !hail"),
            ("e\u{301}t\u{e9} \u{e9}te\u{301}".to_owned(), "\u{e9}t\u{e9}"),
        ] {
            assert_eq!(shown(&text), expected, "{text}");
        }
    }

    /// Returns the substrings as text: required ones in brackets, excluded ones after a `!`.
    fn parts(text: &str) -> String {
        let query = SearchQuery::parse(text).unwrap();
        let shown = query.parts().iter().map(|parts| {
            let wanted = parts.wanted.iter().map(|part| format!("[{part}]"));
            let unwanted = parts.unwanted.iter().map(|part| format!("![{part}]"));
            wanted.chain(unwanted).collect::<String>()
        });
        shown.collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn parts_have_no_quotes_and_no_repetitions() {
        for (text, expected) in [
            ("Apple iphon", "[apple][iphon]"),
            ("\"heavy  snow\" hai", "[heavy snow][hai]"),
            ("\"unclosed sno", "[unclosed sno]"),
            ("東京 雨", "[東京][雨]"),
            ("iphone phon one", "[iphone]"),
            ("rai -\"Heavy Snow\" or fo", "[rai]![heavy snow] | [fo]"),
            ("50% & half_of", "[half_of][50%]"),
            ("%", "[%]"),
            ("-rain", ""),
            ("Mu\u{308}lle", "[mülle]"),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
        assert_eq!(parts(&"a".repeat(101)), "", "too long to be searched as a substring");
        assert_eq!(parts(&format!("rain -{}", "a".repeat(101))), "", "too long to be excluded");
        let many: Vec<_> = (0..32).map(|number| format!("w{number}")).collect();
        assert_eq!(SearchQuery::parse(&many.join(" or ")).unwrap().parts().len(), MAX_PARTS);
    }

    proptest! {
        #[test]
        fn any_text_is_parsed(query in ".{0,60}") {
            if let Ok(query) = SearchQuery::parse(&query) {
                for alternative in query.alternatives() {
                    prop_assert!(!alternative.wanted.is_empty());
                    let phrases = alternative.wanted.iter().chain(&alternative.unwanted);
                    for word in phrases.flat_map(Phrase::words) {
                        prop_assert!(!word.is_empty());
                    }
                }
            }
        }
    }
}
