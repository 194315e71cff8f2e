//! Embedding model: a vector for each word.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use foretell_ports::vector::Embedder;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::table::Table;
use crate::wordpiece::WordPiece;

/// Tokenizer and table of the built-in model, created by `scripts/make-embeddings`.
const TOKENIZER: &[u8] = include_bytes!("../model/tokenizer.json");
const TABLE: &[u8] = include_bytes!("../model/model.safetensors");

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

/// Computes embeddings with a table of tokens.
pub struct StaticEmbedder {
    name: String,
    tokenizer: WordPiece,
    table: Table,
}

impl StaticEmbedder {
    /// Loads the built-in model.
    ///
    /// # Errors
    /// [`ModelError::Format`], if it is broken.
    pub fn standard() -> Result<Self, ModelError> {
        Self::of(STANDARD.to_owned(), TOKENIZER, TABLE)
    }

    /// Loads a model from a folder with `tokenizer.json` and `model.safetensors`.
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
        Self::of(name, &tokenizer, &table)
    }

    fn of(name: String, tokenizer: &[u8], table: &[u8]) -> Result<Self, ModelError> {
        let tokenizer = WordPiece::parse(tokenizer).map_err(|error| {
            ModelError::Format(format!(
                "tokenizer.json is not a WordPiece tokenizer of BERT: {error}"
            ))
        })?;
        Ok(Self { name, tokenizer, table: Table::parse(table).map_err(ModelError::Format)? })
    }
}

impl Embedder for StaticEmbedder {
    fn model(&self) -> &str {
        &self.name
    }

    /// Returns the mean of the vectors of the text's tokens, with length 1; zeros if no token is
    /// known.
    fn embed(&self, text: &str) -> Vec<f32> {
        let mut vector = vec![0.0; self.table.dimensions];
        for id in self.tokenizer.token_ids(text, MAX_TOKENS) {
            self.table.add_row(id, &mut vector);
        }
        // The sum has the direction of the mean, and its length is divided out.
        let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        if length > 0.0 {
            for value in &mut vector {
                *value /= length;
            }
        }
        vector
    }

    fn knows(&self, word: &str) -> bool {
        self.tokenizer.is_whole_word(word)
    }
}

#[cfg(test)]
mod tests {
    use foretell_ports::vector::Embedding;

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
    fn embeddings_equal_stored_ones() {
        let model = StaticEmbedder::standard().unwrap();
        for (text, expected) in [
            ("Will it rain in 東京?", [-0.018_910, 0.054_660, 0.158_040]),
            ("l'été à Zürich", [-0.000_833, -0.259_260, 0.127_404]),
        ] {
            let vector = model.embed(text);
            let is_near = |(value, expected): (&f32, f32)| (value - expected).abs() < 1e-4;
            assert!(vector.iter().zip(expected).all(is_near), "{text}: {:?}", vector.get(..3));
        }
    }

    #[test]
    fn parts_of_words_are_not_known() {
        let model = StaticEmbedder::standard().unwrap();
        for (word, is_known) in
            [("rain", true), ("football", true), ("zuckerb", false), ("ledeck", false)]
        {
            assert_eq!(model.knows(word), is_known, "{word}");
        }
    }

    #[test]
    fn unknown_text_has_no_embedding() {
        let model = StaticEmbedder::standard().unwrap();
        for text in ["", " ", "\u{e000}"] {
            assert_eq!(Embedding::quantize(&model.embed(text)), None, "{text:?}");
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
        let (model, standard) =
            (StaticEmbedder::open(&folder).unwrap(), StaticEmbedder::standard().unwrap());
        assert_ne!(model.model(), standard.model());
        assert_eq!(model.embed("rain"), standard.embed("rain"));
    }
}
