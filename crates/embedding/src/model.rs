//! Embedding model: a vector for each word.

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

/// Tokenizer and table of the built-in model, created by `scripts/make-embeddings`.
const TOKENIZER: &[u8] = include_bytes!("../model/tokenizer.json");
const TABLE: &[u8] = include_bytes!("../model/model.safetensors");
const CONFIG: &[u8] = include_bytes!("../model/config.json");

/// Name of the built-in model; every other model needs another name.
const STANDARD: &str = "standard-1";

/// Maximum number of tokens of a text that are used.
const MAX_TOKENS: usize = 512;

/// Reason why a model cannot be loaded.
#[derive(Debug, Error)]
pub enum ModelError {
    /// A file cannot be read.
    #[error("{file} of the model cannot be read")]
    File {
        /// Name of the file.
        file: &'static str,
        /// Cause.
        source: io::Error,
    },
    /// The files are not a `Model2Vec` model.
    #[error("not a Model2Vec model: {0}")]
    Format(String),
}

/// Computes embeddings with a table of words.
pub struct StaticEmbedder {
    name: String,
    model: StaticModel,
    /// Words of the table; `None` if words cannot be distinguished from parts of words.
    words: Option<HashSet<Box<str>>>,
}

impl StaticEmbedder {
    /// Loads the built-in model.
    ///
    /// # Errors
    /// [`ModelError::Format`], if it is broken.
    pub fn standard() -> Result<Self, ModelError> {
        Self::of(STANDARD.to_owned(), TOKENIZER, TABLE, CONFIG)
    }

    /// Loads a model from a folder with `tokenizer.json`, `model.safetensors` and `config.json`.
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

/// The fields of `tokenizer.json` that are used.
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

/// Returns the words of a tokenizer that marks parts of words with a prefix.
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
    fn similar_texts_have_near_embeddings() {
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
    fn parts_of_words_are_not_known() {
        let model = StaticEmbedder::standard().unwrap();
        for (word, is_known) in [("rain", true), ("football", true), ("zuckerb", false), ("ledeck", false)] {
            assert_eq!(model.knows(word), is_known, "{word}");
        }
    }

    #[test]
    fn unknown_text_has_no_embedding() {
        let model = StaticEmbedder::standard().unwrap();
        for text in ["", " ", "\u{e000}"] {
            assert_eq!(Direction::of(&model.embed(text)), None, "{text:?}");
        }
    }

    #[test]
    fn folder_without_model_is_rejected() {
        let folder = std::env::temp_dir().join("foretell-no-model");
        assert!(matches!(StaticEmbedder::open(&folder), Err(ModelError::File { .. })));
    }

    #[test]
    fn model_from_folder_has_other_name() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("model");
        let (model, standard) = (StaticEmbedder::open(&folder).unwrap(), StaticEmbedder::standard().unwrap());
        assert_ne!(model.model(), standard.model());
        assert_eq!(model.embed("rain"), standard.embed("rain"));
    }
}
