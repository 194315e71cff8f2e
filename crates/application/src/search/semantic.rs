//! Semantic search: the embedding model and the index that belong together.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use foretell_domain::post::{Post, PostStatus};
use foretell_domain::search::SearchQuery;
use foretell_ports::error::StoreError;
use foretell_ports::market::MarketDetails;
use foretell_ports::vector::{Embedder, Embedding, VectorIndex};

/// Weight of a market's description, or a post's content; the name or title has twice as much.
const REST: f32 = 0.5;
/// Weight of the category, or of all tags together.
const TOPIC: f32 = 0.15;

/// Minimum letters of a word that is used for a query.
const SHORTEST: usize = 3;

/// Confidence in the embedding of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// The model knows each word.
    Full,
    /// The model knows some words; the others are names, or parts of words, which text search
    /// handles better.
    Partial,
}

/// Embedding of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueryVector {
    pub(crate) embedding: Embedding,
    pub(crate) coverage: Coverage,
}

/// The model with its index.
#[derive(Clone)]
pub struct Semantic {
    pub(crate) embedder: Arc<dyn Embedder>,
    pub(crate) index: Arc<dyn VectorIndex>,
    /// Minimum similarity of a match; from -1 to 1.
    pub(crate) least: f64,
    /// `true` if all stored embeddings are in the index.
    pub(crate) is_ready: Arc<AtomicBool>,
}

impl Semantic {
    /// Creates a semantic search with an empty index and a minimum similarity.
    pub fn new(embedder: Arc<dyn Embedder>, index: Arc<dyn VectorIndex>, least: f64) -> Self {
        Self { embedder, index, least, is_ready: Arc::default() }
    }

    /// Returns `true` if all stored embeddings are in the index.
    pub fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Acquire)
    }

    /// Returns the number of texts in the index.
    ///
    /// # Errors
    /// The [`StoreError`] of the index.
    pub async fn texts(&self) -> Result<usize, StoreError> {
        self.index.count().await
    }

    /// Returns the embedding of a query; `None` if it has operators or no known word.
    pub(crate) fn embed_query(&self, query: &SearchQuery) -> Option<QueryVector> {
        let says_enough =
            |word: &str| word.chars().filter(|c| c.is_alphabetic()).count() >= SHORTEST;
        let is_known = |word: &str| self.embedder.knows(word);
        let mut told = query.words().filter(|word| says_enough(word)).peekable();
        if !query.is_plain() || told.peek().is_none() {
            return None;
        }
        let coverage = match (query.words().all(is_known), told.any(is_known)) {
            (true, _) => Coverage::Full,
            (false, true) => Coverage::Partial,
            (false, false) => return None,
        };
        Some(QueryVector {
            embedding: Embedding::quantize(&self.embedder.embed(query.text()))?,
            coverage,
        })
    }

    pub(crate) fn embed_market(&self, market: &MarketDetails) -> Option<Embedding> {
        let texts = &market.texts;
        self.embed_text(texts.name.as_str(), texts.description.as_str(), texts.category.as_str())
    }

    /// Returns the embedding of a post; `None` for a draft, which must not be found.
    pub(crate) fn embed_post(&self, post: &Post) -> Option<Embedding> {
        if post.body.status == PostStatus::Draft {
            return None;
        }
        let tags: Vec<_> = post.body.tags.iter().map(foretell_domain::tag::Tag::as_str).collect();
        self.embed_text(post.body.title.as_str(), post.body.content.as_str(), &tags.join(" "))
    }

    fn embed_text(&self, name: &str, rest: &str, topic: &str) -> Option<Embedding> {
        let mut sum = self.embedder.embed(name);
        for (text, weight) in [(rest, REST), (topic, TOPIC)] {
            for (sum, number) in sum.iter_mut().zip(self.embedder.embed(text)) {
                *sum += weight * number;
            }
        }
        Embedding::quantize(&sum)
    }
}
