//! The `WordPiece` tokenizer of BERT models, as `tokenizer.json` describes it.
//!
//! Implements only what a `Model2Vec` model needs: the ids of the tokens of a text, without special
//! tokens. The steps are those of `BertNormalizer`, `BertPreTokenizer` and `WordPiece` of the
//! library `tokenizers`, which would take a tenth of the compile time of the whole server.

use std::collections::HashMap;

use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory as _};

/// Vocabulary, and rules to divide texts into its tokens.
#[derive(Debug)]
pub(crate) struct WordPiece {
    normalizer: Normalizer,
    model: Model,
    median_token_bytes: usize,
}

/// Parts of `tokenizer.json`, whose types are checked.
#[derive(Deserialize)]
struct TokenizerFile {
    normalizer: NormalizerPart,
    pre_tokenizer: PreTokenizerPart,
    model: ModelPart,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum NormalizerPart {
    BertNormalizer(Normalizer),
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum PreTokenizerPart {
    BertPreTokenizer,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum ModelPart {
    WordPiece(Model),
}

#[derive(Debug, Deserialize)]
struct Normalizer {
    clean_text: bool,
    handle_chinese_chars: bool,
    /// Same as `lowercase` if it is absent.
    strip_accents: Option<bool>,
    lowercase: bool,
}

#[derive(Debug, Deserialize)]
struct Model {
    vocab: HashMap<Box<str>, u32>,
    unk_token: String,
    /// Prefix of tokens that are not the first of their word.
    continuing_subword_prefix: String,
    max_input_chars_per_word: usize,
}

impl WordPiece {
    /// Parses `tokenizer.json`.
    ///
    /// # Errors
    /// Fails if it describes another kind of tokenizer.
    pub(crate) fn parse(json: &[u8]) -> serde_json::Result<Self> {
        let TokenizerFile {
            normalizer: NormalizerPart::BertNormalizer(normalizer),
            pre_tokenizer: PreTokenizerPart::BertPreTokenizer,
            model: ModelPart::WordPiece(model),
        } = serde_json::from_slice(json)?;
        let mut lengths: Vec<_> = model.vocab.keys().map(|token| token.len()).collect();
        lengths.sort_unstable();
        let median_token_bytes = lengths.get(lengths.len() / 2).copied().unwrap_or(1);
        Ok(Self { normalizer, model, median_token_bytes })
    }

    /// Returns the ids of the first `max_tokens` tokens of a text, without those of unknown words.
    /// Of a long text, only as many characters are read as this number of tokens usually has.
    pub(crate) fn token_ids(&self, text: &str, max_tokens: usize) -> Vec<u32> {
        let max_chars = max_tokens.saturating_mul(self.median_token_bytes);
        let end = text.char_indices().nth(max_chars).map_or(text.len(), |(position, _)| position);
        let text = self.normalizer.normalize(text.get(..end).unwrap_or(text));
        let mut ids = Vec::new();
        for word in text.split(char::is_whitespace).flat_map(split_punctuation) {
            self.model.append_pieces(word, &mut ids);
        }
        ids.truncate(max_tokens);
        let unknown = self.model.unknown();
        ids.retain(|id| Some(*id) != unknown);
        ids
    }

    /// Returns `true` if the word, in lower case, is a single token.
    pub(crate) fn is_whole_word(&self, word: &str) -> bool {
        let prefix = &*self.model.continuing_subword_prefix;
        !word.starts_with(prefix) && self.model.vocab.contains_key(word)
    }
}

impl Normalizer {
    fn normalize(&self, text: &str) -> String {
        let mut normalized = String::with_capacity(text.len());
        for c in text.chars() {
            if self.clean_text && is_removed(c) {
                continue;
            }
            if self.handle_chinese_chars && is_cjk(c) {
                normalized.extend([' ', c, ' ']);
            } else {
                normalized.push(c);
            }
        }
        if self.strip_accents.unwrap_or(self.lowercase) {
            let is_accent = |c: &char| c.general_category() == GeneralCategory::NonspacingMark;
            normalized = normalized.nfd().filter(|c| !is_accent(c)).collect();
        }
        if self.lowercase {
            normalized = normalized.chars().flat_map(char::to_lowercase).collect();
        }
        normalized
    }
}

impl Model {
    fn unknown(&self) -> Option<u32> {
        self.vocab.get(&*self.unk_token).copied()
    }

    /// Appends the longest token that the word starts with, then the longest of the rest, and so
    /// on; or the unknown token if the word cannot be divided completely.
    fn append_pieces(&self, word: &str, ids: &mut Vec<u32>) {
        if word.is_empty() {
            return;
        }
        if word.chars().count() > self.max_input_chars_per_word {
            ids.extend(self.unknown());
            return;
        }
        let first = ids.len();
        let mut piece = String::new();
        let mut rest = word;
        while !rest.is_empty() {
            let prefix =
                if rest.len() == word.len() { "" } else { &*self.continuing_subword_prefix };
            let ends = rest.char_indices().rev().map(|(start, c)| start + c.len_utf8());
            let longest =
                ends.filter_map(|end| rest.split_at_checked(end)).find_map(|(begin, rest)| {
                    piece.clear();
                    piece.push_str(prefix);
                    piece.push_str(begin);
                    Some((*self.vocab.get(&*piece)?, rest))
                });
            let Some((id, after)) = longest else {
                ids.truncate(first);
                ids.extend(self.unknown());
                return;
            };
            ids.push(id);
            rest = after;
        }
    }
}

/// Divides a word into punctuation marks and the parts between them.
fn split_punctuation(word: &str) -> impl Iterator<Item = &str> {
    word.split_inclusive(is_punctuation).flat_map(|part| {
        let mark = part.char_indices().next_back().filter(|(_, c)| is_punctuation(*c));
        let (before, mark) = part.split_at(mark.map_or(part.len(), |(position, _)| position));
        [before, mark]
    })
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() || c.general_category_group() == GeneralCategoryGroup::Punctuation
}

/// Returns `true` for control, format and private-use characters.
fn is_removed(c: char) -> bool {
    use GeneralCategory::{Control, Format, PrivateUse};
    match c {
        '\t' | '\n' | '\r' => false,
        '\u{fffd}' => true,
        _ => matches!(c.general_category(), Control | Format | PrivateUse),
    }
}

/// Returns `true` for characters of the blocks that BERT's tokenizer treats as single words.
fn is_cjk(c: char) -> bool {
    matches!(c,
        '\u{4e00}'..='\u{9fff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{20000}'..='\u{2a6df}'
        | '\u{2a700}'..='\u{2b81f}'
        | '\u{2b920}'..='\u{2ceaf}'
        | '\u{f900}'..='\u{faff}'
        | '\u{2f800}'..='\u{2fa1f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKENIZER: &str = r###"{
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 12,
            "vocab": {
                "[UNK]": 0, "rain": 1, "##fall": 2, "##f": 3, "!": 4, "uber": 5, "雨": 6, "ra": 7
            }
        }
    }"###;

    fn check(text: &str, expected: &[u32]) {
        let tokenizer = WordPiece::parse(TOKENIZER.as_bytes()).unwrap();
        assert_eq!(tokenizer.token_ids(text, 5), expected, "{text:?}");
    }

    #[test]
    fn words_are_divided_into_longest_tokens() {
        check("rain", &[1]);
        check("rainfall rainf", &[1, 2, 1, 3]);
        check("Über", &[5]);
        check("rain!rain", &[1, 4, 1]);
        check("rain雨ra\u{300}in", &[1, 6, 1]);
        check("ra\u{200b}in\tRAIN", &[1, 1]);
    }

    #[test]
    fn unknown_words_have_no_tokens() {
        check("", &[]);
        check("snow rainsnow rain", &[1]);
        check("rainfallfallfall", &[]);
    }

    #[test]
    fn long_texts_are_cut() {
        check("rain rain rain rain rain rain rain", &[1, 1, 1, 1]);
        check(&"!".repeat(50), &[4; 5]);
    }

    #[test]
    fn other_tokenizers_are_rejected() {
        for (part, other) in [
            ("\"WordPiece\"", "\"Unigram\""),
            ("BertNormalizer", "NFC"),
            ("BertPreTokenizer", "Metaspace"),
        ] {
            assert!(
                WordPiece::parse(TOKENIZER.replace(part, other).as_bytes()).is_err(),
                "{other}"
            );
        }
    }

    #[test]
    fn parts_of_words_are_not_whole_words() {
        let tokenizer = WordPiece::parse(TOKENIZER.as_bytes()).unwrap();
        assert!(tokenizer.is_whole_word("rain"));
        assert!(!tokenizer.is_whole_word("##fall"));
        assert!(!tokenizer.is_whole_word("rainfall"));
    }
}
