//! Semantic search: the model that computes embeddings, their storage, and the index that finds
//! similar ones.

use async_trait::async_trait;
use foretell_domain::id::{MarketId, PostId};
use foretell_domain::time::Timestamp;

use crate::error::StoreError;

/// Subject of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextId {
    /// A market.
    Market(MarketId),
    /// A post.
    Post(PostId),
}

impl TextId {
    /// Returns the id as a number.
    pub const fn as_u128(self) -> u128 {
        match self {
            Self::Market(id) => id.as_u128(),
            Self::Post(id) => id.as_u128(),
        }
    }
}

/// Embedding of a text, scaled and quantized: each number is one of -127 to 127, and the
/// largest is 127.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embedding(Box<[i8]>);

impl Embedding {
    /// Returns the embedding of a vector; `None` if all its numbers are 0.
    pub fn quantize(vector: &[f32]) -> Option<Self> {
        let largest = vector.iter().fold(0.0_f32, |largest, number| largest.max(number.abs()));
        let is_nonzero = largest > 0.0 && largest.is_finite();
        #[allow(clippy::cast_possible_truncation, reason = "what is rounded is 127 at most")]
        let rounded = |number: &f32| (number / largest * 127.0).round() as i8;
        is_nonzero.then(|| Self(vector.iter().map(rounded).collect()))
    }

    /// Returns the numbers, as they are stored.
    pub fn numbers(&self) -> &[i8] {
        &self.0
    }

    /// Creates an embedding from stored numbers; `None` if all are 0.
    pub fn from_numbers(numbers: Box<[i8]>) -> Option<Self> {
        numbers.iter().any(|number| *number != 0).then_some(Self(numbers))
    }
}

/// Computes the embeddings of texts.
pub trait Embedder: Send + Sync {
    /// Returns the name of the model: embeddings of different models cannot be compared.
    fn model(&self) -> &str;

    /// Returns the vector of a text, of length 1; all 0 if the model knows no part of it.
    fn embed(&self, text: &str) -> Vec<f32>;

    /// Returns `true` if a word in lower case has an embedding of its own, and is not composed of
    /// parts.
    fn knows(&self, word: &str) -> bool;
}

/// Stored embedding of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredVector {
    /// Subject of the text.
    pub text: TextId,
    /// Version of the market or post that was embedded.
    pub version: i64,
    /// The embedding; `None` if the text must not be found.
    pub embedding: Option<Embedding>,
    /// Time at which it was written.
    pub written_at: Timestamp,
}

/// Cursor in the list of embeddings: the time and the id of the last one read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct VectorCursor {
    /// Time at which it was written.
    pub written_at: Timestamp,
    /// Id of its subject as a number.
    pub id: u128,
}

impl VectorCursor {
    /// Start of the list.
    pub const BEGIN: Self = Self { written_at: Timestamp::from_micros(i64::MIN), id: 0 };
}

/// Writes embeddings within a unit of work.
pub trait VectorTx {
    /// Saves embeddings of a model, except those of deleted subjects, or of an older version than
    /// the one stored for the same model.
    fn save_vectors(&mut self, model: &str, vectors: &[StoredVector]) -> Result<(), StoreError>;
}

/// Reads embeddings.
#[async_trait]
pub trait VectorQueries: Send + Sync {
    /// Returns at most `limit` embeddings of a model after a cursor, in order.
    async fn list_vectors(
        &self,
        model: &str,
        after: VectorCursor,
        limit: u32,
    ) -> Result<Vec<StoredVector>, StoreError>;

    /// Returns the ids of at most `limit` markets after this one, in ascending order.
    async fn list_market_ids(
        &self,
        after: Option<MarketId>,
        limit: u32,
    ) -> Result<Vec<MarketId>, StoreError>;

    /// Returns the ids of at most `limit` posts after this one, in ascending order.
    async fn list_post_ids(
        &self,
        after: Option<PostId>,
        limit: u32,
    ) -> Result<Vec<PostId>, StoreError>;
}

/// A similar text, with the cosine of the angle between the embeddings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour<I> {
    /// Identifier of the subject.
    pub id: I,
    /// Similarity, from -1 to 1.
    pub similarity: f64,
}

/// Index of embeddings by similarity.
#[async_trait]
pub trait VectorIndex: Send + Sync {
    /// Inserts or replaces the embeddings of these texts; removes those that are `None`.
    async fn put(&self, vectors: Vec<(TextId, Option<Embedding>)>) -> Result<(), StoreError>;

    /// Returns at most `limit` markets, by descending similarity, of at least `least`.
    async fn near_markets(
        &self,
        to: &Embedding,
        least: f64,
        limit: usize,
    ) -> Result<Vec<Neighbour<MarketId>>, StoreError>;

    /// Returns the same for posts.
    async fn near_posts(
        &self,
        to: &Embedding,
        least: f64,
        limit: usize,
    ) -> Result<Vec<Neighbour<PostId>>, StoreError>;

    /// Returns the number of embeddings in the index.
    async fn count(&self) -> Result<usize, StoreError>;
}
