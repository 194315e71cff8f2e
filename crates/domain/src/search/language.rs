//! Stemming: the forms of a word, such as "school" and "schools", match each other.

use rust_stemmers::{Algorithm, Stemmer};

/// Maximum characters of a word that is stemmed; longer words are compared unchanged.
const LONGEST_STEMMED: usize = 64;

/// Language whose words are reduced to their stems; words of other languages stay unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchLanguage {
    name: &'static str,
    algorithm: Option<Algorithm>,
}

/// All languages; "none" disables stemming.
const LANGUAGES: [(&str, Option<Algorithm>); 19] = [
    ("none", None),
    ("arabic", Some(Algorithm::Arabic)),
    ("danish", Some(Algorithm::Danish)),
    ("dutch", Some(Algorithm::Dutch)),
    ("english", Some(Algorithm::English)),
    ("finnish", Some(Algorithm::Finnish)),
    ("french", Some(Algorithm::French)),
    ("german", Some(Algorithm::German)),
    ("greek", Some(Algorithm::Greek)),
    ("hungarian", Some(Algorithm::Hungarian)),
    ("italian", Some(Algorithm::Italian)),
    ("norwegian", Some(Algorithm::Norwegian)),
    ("portuguese", Some(Algorithm::Portuguese)),
    ("romanian", Some(Algorithm::Romanian)),
    ("russian", Some(Algorithm::Russian)),
    ("spanish", Some(Algorithm::Spanish)),
    ("swedish", Some(Algorithm::Swedish)),
    ("tamil", Some(Algorithm::Tamil)),
    ("turkish", Some(Algorithm::Turkish)),
];

impl SearchLanguage {
    /// English.
    pub const ENGLISH: Self = Self { name: "english", algorithm: Some(Algorithm::English) };

    /// Returns the language with this name, as in `search.language`.
    pub fn from_name(name: &str) -> Option<Self> {
        let (name, algorithm) = LANGUAGES.into_iter().find(|(known, _)| *known == name)?;
        Some(Self { name, algorithm })
    }

    /// Returns the names of all languages.
    pub fn names() -> impl Iterator<Item = &'static str> {
        LANGUAGES.into_iter().map(|(name, _)| name)
    }

    /// Returns the name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the stem of a word in lower case.
    pub(super) fn stem(&self, word: String) -> String {
        let is_stemmed =
            word.chars().count() <= LONGEST_STEMMED && word.chars().all(char::is_alphabetic);
        match self.algorithm {
            Some(algorithm) if is_stemmed => {
                let stem = Stemmer::create(algorithm).stem(&word).into_owned();
                // A word that consists of endings only is its own stem.
                if stem.is_empty() { word } else { stem }
            }
            _ => word,
        }
    }

    /// Returns `true` if every word and its stem begin with the same letter. Stemmers other than
    /// the English one also remove accents or prefixes.
    pub(super) const fn keeps_first_letter(&self) -> bool {
        matches!(self.algorithm, None | Some(Algorithm::English))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn word_forms_have_one_stem() {
        for (language, forms) in [
            ("english", &["school", "schools"][..]),
            ("english", &["resign", "resigned", "resigns", "resigning"]),
            ("german", &["haus", "hauses"]),
            ("russian", &["спартак", "спартака"]),
            ("french", &["école", "écoles"]),
        ] {
            let language = SearchLanguage::from_name(language).unwrap();
            let mut stems: Vec<_> =
                forms.iter().map(|word| language.stem((*word).to_owned())).collect();
            stems.dedup();
            assert_eq!(stems.len(), 1, "{stems:?}");
        }
        assert_eq!(
            SearchLanguage::from_name("none").unwrap().stem("schools".to_owned()),
            "schools"
        );
        assert_eq!(SearchLanguage::from_name("klingon"), None);
    }

    proptest! {
        #[test]
        fn stem_of_any_word_is_not_empty(word in "\\PC{1,80}", number in 0..LANGUAGES.len()) {
            let language = SearchLanguage::from_name(LANGUAGES[number].0).unwrap();
            prop_assert!(!language.stem(word.to_lowercase()).is_empty());
        }

        #[test]
        fn stem_keeps_the_first_letter(word in "\\p{L}{1,20}", number in 0..LANGUAGES.len()) {
            let language = SearchLanguage::from_name(LANGUAGES[number].0).unwrap();
            let word = word.to_lowercase();
            let stem = language.stem(word.clone());
            prop_assert!(!language.keeps_first_letter() || stem.chars().next() == word.chars().next(), "{}", stem);
        }
    }
}
