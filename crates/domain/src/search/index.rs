//! Indexed form of a text: the same words and substrings on every database.

use unicode_normalization::UnicodeNormalization as _;

use super::fold;
use super::{SearchLanguage, substring_form};

/// Version of the indexed form. Indexes of another version are rebuilt.
pub const INDEX_VERSION: i32 = 1;

/// Characters of a text, apart from its title, that are indexed as substrings.
const SUBSTRING_CHARS: usize = 4_000;

/// Indexed form of a title with its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedText {
    /// Stems of the title's words.
    pub title: Vec<String>,
    /// Stems of the words in the first 20,000 characters of the text.
    pub body: Vec<String>,
    /// The title and the text's first 4,000 characters, one line each, in [`substring_form`].
    pub substrings: String,
}

impl IndexedText {
    /// Computes the indexed form.
    pub fn new(title: &str, body: &str, language: SearchLanguage) -> Self {
        let title: String = title.nfc().collect();
        let body: String = fold::first_chars(body, fold::INDEXED_CHARS).nfc().collect();
        let substrings =
            [substring_form(&title), substring_form(fold::first_chars(&body, SUBSTRING_CHARS))];
        Self {
            title: stems(&title, language).collect(),
            body: stems(&body, language).collect(),
            substrings: substrings.join("\n"),
        }
    }

    /// Returns the title in [`substring_form`].
    pub fn title_substrings(&self) -> &str {
        self.substrings.split('\n').next().unwrap_or_default()
    }
}

/// Returns the stems of the words of a text in NFC.
pub(super) fn stems(text: &str, language: SearchLanguage) -> impl Iterator<Item = String> {
    let words = fold::word_ranges(text).filter_map(|range| text.get(range));
    let words = words.filter(|word| word.len() <= fold::LONGEST_WORD);
    words.map(move |word| language.stem(fold::folded(word)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_indexed_by_stems_and_substrings() {
        let text = IndexedText::new(
            "Schools\u{85}of Mu\u{308}nchen",
            "Half-time at 東京, 5 %",
            SearchLanguage::ENGLISH,
        );
        assert_eq!(text.title, ["school", "of", "münchen"]);
        assert_eq!(text.body, ["half", "time", "at", "東", "京", "5"]);
        assert_eq!(text.substrings, "schools of münchen\nhalf-time at 東京, 5 %");
        assert_eq!(text.title_substrings(), "schools of münchen");
    }

    #[test]
    fn long_text_is_indexed_in_part() {
        let text = IndexedText::new("Title", &"rain ".repeat(10_000), SearchLanguage::ENGLISH);
        assert_eq!(text.body.len(), fold::INDEXED_CHARS / 5);
        assert!(text.substrings.len() <= 10 + SUBSTRING_CHARS);
        let text = IndexedText::new("Title", &"a".repeat(50_000), SearchLanguage::ENGLISH);
        assert_eq!(text.body, Vec::<String>::new(), "no query has such a word");
    }

    proptest! {
        #[test]
        fn any_text_is_indexed_by_letters_and_digits(title in "\\PC{0,60}", body in "\\PC{0,200}") {
            let text = IndexedText::new(&title, &body, SearchLanguage::ENGLISH);
            for word in text.title.iter().chain(&text.body) {
                prop_assert!(!word.is_empty() && !word.contains([' ', '\'', '"', '\\']), "{:?}", word);
            }
            prop_assert_eq!(text.substrings.matches('\n').count(), 1);
        }
    }
}
