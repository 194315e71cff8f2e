//! Comparison form of texts: NFC, in lower case.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;

/// Maximum characters of a text that are indexed by words.
pub(super) const INDEXED_CHARS: usize = 20_000;
/// Maximum bytes of a word that is compared.
pub(super) const LONGEST_WORD: usize = 512;

/// Returns a character in lower case. Both small sigmas are one letter, and a capital İ is an i.
pub(super) fn lower(c: char) -> impl Iterator<Item = char> {
    let c = match c {
        'ς' => 'σ',
        'İ' => 'i',
        c => c,
    };
    c.to_lowercase()
}

/// Returns the comparison form of a text.
pub(super) fn folded(text: &str) -> String {
    text.nfc().flat_map(lower).nfc().collect()
}

/// Returns the first characters of a text.
pub(super) fn first_chars(text: &str, count: usize) -> &str {
    // Most texts have fewer bytes than that.
    if text.len() <= count {
        return text;
    }
    let end = text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

/// Returns the last character boundary at or before a byte.
pub(super) fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

/// Returns the words of a text as byte ranges: runs of letters and digits. In scripts without
/// spaces between words, and in Hangul, whose words have endings, each character is a word.
pub(super) fn word_ranges(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let rest = text.get(next..)?;
        let begin = next + rest.find(char::is_alphanumeric)?;
        let word = text.get(begin..)?;
        let first = word.chars().next()?;
        let length = if is_unspaced(first) {
            first.len_utf8()
        } else {
            word.find(|c: char| !c.is_alphanumeric() || is_unspaced(c)).unwrap_or(word.len())
        };
        next = begin + length;
        Some(begin..next)
    })
}

/// Returns the number of runs of letters and digits in a text, in any script.
pub(super) fn run_count(text: &str) -> usize {
    text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty()).count()
}

/// Returns `true` if the script of a character does not separate words by spaces: Thai, Lao,
/// Myanmar, Khmer, kana, Bopomofo, Han and Hangul.
const fn is_unspaced(c: char) -> bool {
    matches!(
        c,
        '\u{e00}'..='\u{eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1100}'..='\u{11ff}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{3005}'..='\u{3007}'
            | '\u{3040}'..='\u{31ff}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{ac00}'..='\u{d7ff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{ff66}'..='\u{ff9f}'
            | '\u{20000}'..='\u{323af}'
    )
}

/// A text in lower case that maps each of its characters to the original.
#[derive(Debug)]
pub(super) struct Fold {
    text: String,
    /// Start of each character in lower case and of its original; and the end of both texts.
    places: Vec<(usize, usize)>,
}

impl Fold {
    pub(super) fn new(original: &str) -> Self {
        let mut text = String::with_capacity(original.len());
        let mut places = Vec::with_capacity(original.len() + 1);
        for (at, c) in original.char_indices() {
            for lower in lower(c) {
                places.push((text.len(), at));
                text.push(lower);
            }
        }
        places.push((text.len(), original.len()));
        Self { text, places }
    }

    /// Returns the text in lower case.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns part of the text in lower case, from the start of a character.
    pub(super) fn slice(&self, begin: usize, length: usize) -> &str {
        let end = floor_boundary(&self.text, begin + length);
        self.text.get(begin..end).unwrap_or_default()
    }

    /// Maps a range of the text in lower case to the original, in whole characters.
    pub(super) fn original(&self, range: Range<usize>) -> Range<usize> {
        let place = |at| self.places.get(self.places.partition_point(|(lower, _)| *lower < at));
        let begin = place(range.start).map_or(0, |(_, original)| *original);
        let mut end = self.places.partition_point(|(lower, _)| *lower < range.end);
        let last = end
            .checked_sub(1)
            .and_then(|last| self.places.get(last))
            .map(|(_, original)| *original);
        // One character may have several in lower case.
        while self.places.get(end).is_some_and(|(_, original)| Some(*original) == last) {
            end += 1;
        }
        begin..self.places.get(end).map_or(begin, |(_, original)| *original)
    }
}
