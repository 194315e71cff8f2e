//! Conversion of texts to the Postgres type `tsvector`.

use std::collections::BTreeMap;

use foretell_domain::search::IndexedText;

/// Last position of a `tsvector`, maximum number of positions of a word, and distance between title
/// and text.
const LAST_POSITION: usize = 16_383;
const MAX_POSITIONS: usize = 255;
const GAP: usize = 10;

/// Returns the words of a text as a `tsvector`, those of the title with the weight A. Words contain
/// no punctuation, so they need no escapes; a word of a long text has only as many positions as
/// Postgres stores.
pub(super) fn of(text: &IndexedText) -> String {
    let title = (1..).zip(&text.title).map(|(position, word)| (position, word, "A"));
    // The gap keeps a phrase from matching the end of the title and the start of the text.
    let body =
        (1 + text.title.len() + GAP..).zip(&text.body).map(|(position, word)| (position, word, ""));
    let mut positions: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (position, word, weight) in title.chain(body) {
        let of_word = positions.entry(word).or_default();
        if position <= LAST_POSITION && of_word.len() < MAX_POSITIONS {
            of_word.push(format!("{position}{weight}"));
        }
    }
    let words =
        positions.iter().map(|(word, positions)| format!("'{word}':{}", positions.join(",")));
    words.filter(|word| !word.ends_with(':')).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use foretell_domain::search::SearchLanguage;

    use super::*;

    #[test]
    fn vector_has_positions_and_weights() {
        let text = IndexedText::new("Rain, rain", "No rain.", SearchLanguage::ENGLISH);
        assert_eq!(of(&text), "'no':13 'rain':1A,2A,14");
        let long = IndexedText::new("x", &"rain ".repeat(4_000), SearchLanguage::ENGLISH);
        assert_eq!(of(&long).matches(',').count(), MAX_POSITIONS - 1);
    }
}
