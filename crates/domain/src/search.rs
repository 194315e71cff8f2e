//! What a user types to search: words, phrases in quotes, `or`, and a minus before what must not be there.

use thiserror::Error;

/// The most characters of a query.
const MAX_LENGTH: u32 = 500;

/// The most words of a query, in all its parts together.
const MAX_WORDS: usize = 32;

/// Words one after another. A word that is typed with signs in it, such as `half-time`, is one of its parts after
/// another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phrase(Vec<String>);

impl Phrase {
    /// Its words, in lower case; at least one. They are of letters and digits alone.
    pub fn words(&self) -> &[String] {
        &self.0
    }
}

/// One way to be found: all of these, and none of those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// What must be there; at least one phrase.
    pub wanted: Vec<Phrase>,
    /// What must not be there.
    pub unwanted: Vec<Phrase>,
}

/// A query that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchQuery {
    text: String,
    alternatives: Vec<Alternative>,
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
    /// Reads a query. Any text means something; quotes that are not closed end with the text. A part without anything
    /// that must be there is left out.
    ///
    /// # Errors
    /// [`SearchError`].
    pub fn parse(text: &str) -> Result<Self, SearchError> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > MAX_LENGTH as usize {
            return Err(SearchError::Length { max: MAX_LENGTH });
        }
        if text.chars().any(char::is_control) {
            return Err(SearchError::Unreadable);
        }
        let (mut alternatives, mut words) = (Vec::new(), 0);
        let mut current = Alternative { wanted: Vec::new(), unwanted: Vec::new() };
        for token in tokens(text) {
            match token {
                Token::Or => {
                    let done =
                        std::mem::replace(&mut current, Alternative { wanted: vec![], unwanted: vec![] });
                    alternatives.push(done);
                }
                Token::Phrase { text, is_unwanted } => {
                    let phrase = words_of(text);
                    words += phrase.len();
                    let part = if is_unwanted { &mut current.unwanted } else { &mut current.wanted };
                    part.extend((!phrase.is_empty()).then_some(Phrase(phrase)));
                }
            }
        }
        if words > MAX_WORDS {
            return Err(SearchError::TooManyWords { max: MAX_WORDS });
        }
        alternatives.push(current);
        alternatives.retain(|alternative| !alternative.wanted.is_empty());
        Ok(Self { text: text.to_owned(), alternatives })
    }

    /// The text as typed, without blanks around it.
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

    /// The words that are wanted, in lower case.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let phrases = self.alternatives.iter().flat_map(|alternative| &alternative.wanted);
        phrases.flat_map(Phrase::words).map(String::as_str)
    }

    /// Marks in a text what was found: the words of the wanted phrases and what begins like the text as typed, with
    /// the text around the first of them, as `(part, is found)`. Nothing if nothing of it is there.
    pub fn excerpt<'a>(&self, text: &'a str) -> Vec<(&'a str, bool)> {
        let wanted: Vec<&str> = self
            .alternatives
            .iter()
            .flat_map(|alternative| alternative.wanted.iter().flat_map(Phrase::words))
            .map(String::as_str)
            .collect();
        let mut marked = marked_words(text, &wanted);
        if !marked.iter().any(|(_, is_found)| *is_found) {
            marked = marked_part(text, &self.text);
        }
        around_first(marked)
    }
}

/// How much text is shown before the first thing found, and how much in all, in bytes at least.
const BEFORE: usize = 60;
const SHOWN: usize = 240;

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

/// The words of a text in lower case: letters and digits that stand together.
pub fn words_of(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// The text in parts, those that are one of these words marked.
fn marked_words<'a>(text: &'a str, wanted: &[&str]) -> Vec<(&'a str, bool)> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let begin = rest.find(char::is_alphanumeric).unwrap_or(rest.len());
        let (between, from_word) = rest.split_at(begin);
        let end = from_word.find(|c: char| !c.is_alphanumeric()).unwrap_or(from_word.len());
        let (word, after) = from_word.split_at(end);
        parts.push((between, false));
        parts.push((word, wanted.contains(&word.to_lowercase().as_str())));
        rest = after;
    }
    parts.retain(|(part, _)| !part.is_empty());
    parts
}

/// The text in parts, those that are this text in upper or lower case marked.
fn marked_part<'a>(text: &'a str, wanted: &str) -> Vec<(&'a str, bool)> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((begin, end)) = find_ignoring_case(rest, wanted) {
        let (before, from) = rest.split_at(begin);
        let (found, after) = from.split_at(end - begin);
        parts.push((before, false));
        parts.push((found, true));
        rest = after;
    }
    parts.push((rest, false));
    parts.retain(|(part, _)| !part.is_empty());
    parts
}

/// Where a part of a text is, in bytes, whatever the case of its letters.
fn find_ignoring_case(text: &str, wanted: &str) -> Option<(usize, usize)> {
    let wanted: Vec<char> = wanted.chars().flat_map(char::to_lowercase).collect();
    let starts = text.char_indices().map(|(start, _)| start);
    starts.into_iter().find_map(|start| {
        let mut left = wanted.as_slice();
        for (offset, c) in text.get(start..)?.char_indices() {
            for lower in c.to_lowercase() {
                left = left.strip_prefix(&[lower])?;
            }
            if left.is_empty() {
                return Some((start, start + offset + c.len_utf8()));
            }
        }
        None
    })
}

/// What is shown of a marked text: some of it before the first mark, and some after.
fn around_first(marked: Vec<(&str, bool)>) -> Vec<(&str, bool)> {
    let Some(first) = marked.iter().position(|(_, is_found)| *is_found) else { return Vec::new() };
    let mut begin = first;
    let mut before = 0;
    while begin > 0 && before < BEFORE {
        begin -= 1;
        before += marked.get(begin).map_or(0, |(part, _)| part.len());
    }
    let mut shown = 0;
    let from_begin = marked.into_iter().skip(begin);
    from_begin
        .take_while(|(part, _)| {
            let is_room = shown < SHOWN;
            shown += part.len();
            is_room
        })
        .collect()
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

    fn excerpt(query: &str, text: &str) -> String {
        let query = SearchQuery::parse(query).unwrap();
        query
            .excerpt(text)
            .iter()
            .map(|(part, is_found)| if *is_found { format!("[{part}]") } else { (*part).to_owned() })
            .collect()
    }

    #[test]
    fn an_excerpt_shows_what_was_found() {
        assert_eq!(excerpt("rain", "Will it Rain, or rains it?"), "Will it [Rain], or rains it?");
        assert_eq!(excerpt("ain", "Will it Rain, again?"), "Will it R[ain], ag[ain]?");
        assert_eq!(excerpt("snow", "Will it rain?"), "");
        let long = format!("{} rain {}", "x ".repeat(100), "y ".repeat(200));
        let shown = excerpt("rain", &long);
        assert!(shown.contains("[rain]") && shown.len() < 320, "{shown}");
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_any_excerpt_is_of_the_text(query in ".{0,60}", text in ".{0,80}") {
            if let Ok(query) = SearchQuery::parse(&query) {
                for alternative in query.alternatives() {
                    prop_assert!(!alternative.wanted.is_empty());
                    let phrases = alternative.wanted.iter().chain(&alternative.unwanted);
                    for word in phrases.flat_map(Phrase::words) {
                        prop_assert!(!word.is_empty());
                    }
                }
                let parts: String = query.excerpt(&text).iter().map(|(part, _)| *part).collect();
                prop_assert!(text.contains(&parts));
            }
        }
    }
}
