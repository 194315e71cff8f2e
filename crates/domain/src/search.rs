//! What a user types to search: words, phrases in quotes, `or`, and a minus before what must not be there.

mod excerpt;
mod fold;
mod index;
mod language;

pub use index::{INDEX_VERSION, IndexedText};
pub use language::SearchLanguage;

use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;

/// The most characters of a query.
const MAX_LENGTH: u32 = 500;

/// The most words of a query, in all its parts together.
const MAX_WORDS: usize = 32;

/// The most characters of the parts of an alternative that are searched as substrings.
const MAX_PART_CHARS: usize = 100;

/// The most alternatives that are searched as substrings.
const MAX_PARTS: usize = 4;

/// The most words of a phrase that are compared as neighbours; longer ones are several phrases.
const PHRASE_WORDS: usize = 8;

/// The most words of all phrases, counting each character of scripts without blanks between words.
const MAX_PHRASE_WORDS: usize = 64;

/// Consecutive words. A word that is typed with signs in it, such as `half-time`, is a phrase of its words, and so is one
/// of a script without blanks between words, of which each character is a word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phrase(Vec<String>);

impl Phrase {
    /// Its words, in lower case; one to eight. They are of letters and digits alone.
    pub fn words(&self) -> &[String] {
        &self.0
    }

    /// The stems of its words.
    pub fn stems(&self, language: SearchLanguage) -> Vec<String> {
        self.0.iter().map(|word| language.stem(word.clone())).collect()
    }
}

/// One way to be found: all of these, and none of those. No phrase is there twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alternative {
    /// What must be there; at least one phrase.
    pub wanted: Vec<Phrase>,
    /// What must not be there.
    pub unwanted: Vec<Phrase>,
}

/// One way to be found by parts of words: all of these, and none of those, as typed but in lower case, without quotes.
/// No part is contained in another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    /// Substrings that must be there; at least one, with at most 100 characters together.
    pub wanted: Vec<String>,
    /// Substrings that must not be there.
    pub unwanted: Vec<String>,
}

/// A query that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchQuery {
    text: String,
    alternatives: Vec<Alternative>,
    parts: Vec<Parts>,
}

/// Why a query cannot be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum SearchError {
    /// Nothing to look for, or too much.
    #[error("must have 1 to {max} characters")]
    Length {
        /// The most characters.
        max: u32,
    },
    /// There is a control character in it.
    #[error("must be readable text")]
    Unreadable,
    /// It has more words than are looked for.
    #[error("must have at most {max} words")]
    TooManyWords {
        /// The most words.
        max: usize,
    },
}

impl SearchQuery {
    /// Parses a query in any Unicode normalization form. Any text means something; quotes that are not closed end with
    /// the text. Alternatives without anything that must be there are ignored, and so are repetitions.
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

    /// The text as typed in NFC, without blanks around it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The ways to be found; none if there is nothing but signs and what is not wanted.
    pub fn alternatives(&self) -> &[Alternative] {
        &self.alternatives
    }

    /// Whether it says only which words are wanted, in any order: it has no quotes, no `or` and no minus. What it means
    /// is then what its words mean.
    pub fn is_plain(&self) -> bool {
        let [only] = self.alternatives.as_slice() else { return false };
        only.unwanted.is_empty() && !self.text.contains('"')
    }

    /// The ways to be found by parts of words; at most four.
    pub fn parts(&self) -> &[Parts] {
        &self.parts
    }

    /// The words that are wanted, in lower case.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let phrases = self.alternatives.iter().flat_map(|alternative| &alternative.wanted);
        phrases.flat_map(Phrase::words).map(String::as_str)
    }

    /// An excerpt of a text as `(part, is found)`: the first thing found with some text around it. What is found are
    /// the wanted phrases or, if there are none, the parts of the query as typed. Empty if nothing is found in the
    /// first 20,000 characters.
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

/// Adds an item that is valid and not there yet.
fn push_new<T: PartialEq>(list: &mut Vec<T>, item: T, is_valid: impl FnOnce(&T) -> bool) {
    if is_valid(&item) && !list.contains(&item) {
        list.push(item);
    }
}

/// The phrases of one alternative, as long as there are words left.
fn phrases(tokens: &[Token<'_>], words_left: &mut usize) -> Alternative {
    let mut alternative = Alternative::default();
    for token in tokens {
        let Token::Phrase { text, is_unwanted } = token else { continue };
        let list = if *is_unwanted { &mut alternative.unwanted } else { &mut alternative.wanted };
        let words = words_of(text);
        // Without the parts of a phrase, more would be missing than without the phrase.
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

/// The substrings of one alternative. Signs alone count only if there is nothing else.
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
    // What contains a longer part contains its parts.
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

/// The words of a text in lower case: letters and digits that stand together.
fn words_of(text: &str) -> Vec<String> {
    let text: String = text.nfc().collect();
    fold::word_ranges(&text).filter_map(|range| text.get(range)).map(fold::folded).collect()
}

/// A text in the form in which it is searched by parts: NFC, in lower case, each run of blanks and control characters
/// as one blank.
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

    /// The alternatives as text: words of a phrase joined by `_`, unwanted ones after a `!`.
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
    fn words_phrases_or_and_minus_are_understood() {
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
    fn what_cannot_be_looked_for_is_refused() {
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

    /// The parts as text: wanted ones in brackets, unwanted ones after a `!`.
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
