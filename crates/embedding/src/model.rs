//! The model: a vector for each word.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use foretell_ports::vector::Embedder;
use model2vec_rs::model::StaticModel;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// The table that comes with the program; `scripts/make-embeddings` makes it.
const TOKENIZER: &[u8] = include_bytes!("../model/tokenizer.json");
const TABLE: &[u8] = include_bytes!("../model/model.safetensors");
const CONFIG: &[u8] = include_bytes!("../model/config.json");

/// Names the table that comes with the program; another table needs another name.
const STANDARD: &str = "standard-1";

/// The most tokens of a text that are looked at.
const MAX_TOKENS: usize = 512;

/// Why there is no model.
#[derive(Debug, Error)]
pub enum ModelError {
    /// A file of it cannot be read.
    #[error("{file} of the model cannot be read")]
    File {
        /// Its name.
        file: &'static str,
        /// Why.
        source: io::Error,
    },
    /// It is no such model.
    #[error("the model is none that Model2Vec has made: {0}")]
    Format(String),
}

/// Makes vectors with a table of words.
pub struct StaticEmbedder {
    name: String,
    model: StaticModel,
    /// The words of the table; nothing if it has none that could be told from parts of words.
    words: Option<HashSet<Box<str>>>,
}

impl StaticEmbedder {
    /// The one that comes with the program.
    ///
    /// # Errors
    /// [`ModelError::Format`], if it was not made well.
    pub fn standard() -> Result<Self, ModelError> {
        Self::of(STANDARD.to_owned(), TOKENIZER, TABLE, CONFIG)
    }

    /// The one in a folder, with `tokenizer.json`, `model.safetensors` and `config.json`.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn open(folder: &Path) -> Result<Self, ModelError> {
        let read = |file: &'static str| {
            fs::read(folder.join(file)).map_err(|source| ModelError::File { file, source })
        };
        let (tokenizer, table) = (read("tokenizer.json")?, read("model.safetensors")?);
        let mut name = "sha256:".to_owned();
        for byte in Sha256::digest(&table).iter().take(16) {
            let _ = write!(name, "{byte:02x}");
        }
        Self::of(name, &tokenizer, &table, &read("config.json")?)
    }

    fn of(name: String, tokenizer: &[u8], table: &[u8], config: &[u8]) -> Result<Self, ModelError> {
        let model = StaticModel::from_bytes(tokenizer, table, config, Some(true));
        let model = model.map_err(|error| ModelError::Format(format!("{error:#}")))?;
        Ok(Self { name, model, words: words_of(tokenizer) })
    }
}

impl Embedder for StaticEmbedder {
    fn model(&self) -> &str {
        &self.name
    }

    fn embed(&self, text: &str) -> Vec<f32> {
        let texts = [text.to_owned()];
        self.model.encode_with_args(&texts, Some(MAX_TOKENS), 1).pop().unwrap_or_default()
    }

    fn knows(&self, word: &str) -> bool {
        self.words.as_ref().is_none_or(|words| words.contains(word))
    }
}

/// What is read of `tokenizer.json`.
#[derive(Deserialize)]
struct Tokenizer {
    model: Vocabulary,
}

#[derive(Deserialize)]
struct Vocabulary {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    vocab: serde_json::Value,
}

/// The words of a tokenizer that writes those of which a word is put together with a sign before them.
fn words_of(tokenizer: &[u8]) -> Option<HashSet<Box<str>>> {
    let Tokenizer { model } = serde_json::from_slice(tokenizer).ok()?;
    let words = model.vocab.as_object().filter(|_| model.kind == "WordPiece")?.keys();
    Some(words.filter(|word| !word.starts_with("##")).map(|word| word.as_str().into()).collect())
}

#[cfg(test)]
mod tests {
    use foretell_ports::vector::Direction;

    use super::*;

    fn similarity(model: &StaticEmbedder, a: &str, b: &str) -> f32 {
        model.embed(a).iter().zip(model.embed(b)).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn the_model_knows_what_is_alike() {
        let model = StaticEmbedder::standard().unwrap();
        for (query, near, far) in [
            ("soccer", "football", "parliament"),
            ("cryptocurrency", "bitcoin", "film"),
            ("snow in the mountains", "skiing", "inflation"),
        ] {
            let (near, far) = (similarity(&model, query, near), similarity(&model, query, far));
            assert!(near > far + 0.2, "{query}: {near} {far}");
        }
        assert!((similarity(&model, "rain", "rain") - 1.0).abs() < 1e-3);
    }

    #[test]
    fn words_are_known_and_parts_of_words_are_not() {
        let model = StaticEmbedder::standard().unwrap();
        for (word, is_known) in [("rain", true), ("football", true), ("zuckerb", false), ("ledeck", false)] {
            assert_eq!(model.knows(word), is_known, "{word}");
        }
    }

    #[test]
    fn what_has_no_meaning_has_no_direction() {
        let model = StaticEmbedder::standard().unwrap();
        for text in ["", " ", "\u{e000}"] {
            assert_eq!(Direction::of(&model.embed(text)), None, "{text:?}");
        }
    }

    #[test]
    fn a_folder_without_a_model_is_refused() {
        let folder = std::env::temp_dir().join("foretell-no-model");
        assert!(matches!(StaticEmbedder::open(&folder), Err(ModelError::File { .. })));
    }

    #[test]
    fn the_model_of_a_folder_has_another_name() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("model");
        let (model, standard) = (StaticEmbedder::open(&folder).unwrap(), StaticEmbedder::standard().unwrap());
        assert_ne!(model.model(), standard.model());
        assert_eq!(model.embed("rain"), standard.embed("rain"));
    }
}
