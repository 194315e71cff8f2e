//! Texts by their meaning: what makes vectors of them, where these are kept, and what finds those that are near.

use async_trait::async_trait;
use foretell_domain::id::{MarketId, PostId};
use foretell_domain::time::Timestamp;

use crate::error::StoreError;

/// What a text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextId {
    /// A market.
    Market(MarketId),
    /// A post.
    Post(PostId),
}

impl TextId {
    /// The number of the id.
    pub const fn as_u128(self) -> u128 {
        match self {
            Self::Market(id) => id.as_u128(),
            Self::Post(id) => id.as_u128(),
        }
    }
}

/// The meaning of a text as a direction: each number is one of -127 to 127, so that the largest is 127.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Direction(Box<[i8]>);

impl Direction {
    /// The direction of a vector; nothing if it has none.
    pub fn of(vector: &[f32]) -> Option<Self> {
        let largest = vector.iter().fold(0.0_f32, |largest, number| largest.max(number.abs()));
        let is_direction = largest > 0.0 && largest.is_finite();
        #[allow(clippy::cast_possible_truncation, reason = "what is rounded is 127 at most")]
        let rounded = |number: &f32| (number / largest * 127.0).round() as i8;
        is_direction.then(|| Self(vector.iter().map(rounded).collect()))
    }

    /// As it is stored.
    pub fn numbers(&self) -> &[i8] {
        &self.0
    }

    /// As it was stored; nothing if no number is other than 0.
    pub fn from_numbers(numbers: Box<[i8]>) -> Option<Self> {
        numbers.iter().any(|number| *number != 0).then_some(Self(numbers))
    }
}

/// Makes vectors of texts.
pub trait Embedder: Send + Sync {
    /// Names the model: the vectors of another one cannot be compared to its own.
    fn model(&self) -> &str;

    /// The vector of a text, of length 1; all 0 if nothing of it is known.
    fn embed(&self, text: &str) -> Vec<f32>;

    /// Whether a word in lower case has a meaning of its own, and is not put together from parts.
    fn knows(&self, word: &str) -> bool;
}

/// What is stored of a text's meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredVector {
    /// Whose text.
    pub text: TextId,
    /// The version of the market or post that it is of.
    pub version: i64,
    /// What it means; nothing if it is not to be found.
    pub direction: Option<Direction>,
    /// When it was written.
    pub written_at: Timestamp,
}

/// Up to where vectors were read: the time and the number of the id of the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct VectorPlace {
    /// When it was written.
    pub written_at: Timestamp,
    /// Whose text it is of.
    pub id: u128,
}

impl VectorPlace {
    /// Before all.
    pub const BEGIN: Self = Self { written_at: Timestamp::from_micros(i64::MIN), id: 0 };
}

/// Writes vectors within a unit of work.
pub trait VectorTx {
    /// Saves vectors of a model, but for those of what is gone, or of an older version than what the same model has
    /// stored.
    fn save_vectors(&mut self, model: &str, vectors: &[StoredVector]) -> Result<(), StoreError>;
}

/// Reads vectors.
#[async_trait]
pub trait VectorQueries: Send + Sync {
    /// At most `limit` vectors of a model after a place, in their order.
    async fn list_vectors(
        &self,
        model: &str,
        after: VectorPlace,
        limit: u32,
    ) -> Result<Vec<StoredVector>, StoreError>;

    /// At most `limit` markets, in the order of their ids, whose ids are greater than this one.
    async fn list_market_ids(&self, after: Option<MarketId>, limit: u32)
    -> Result<Vec<MarketId>, StoreError>;

    /// The same of posts.
    async fn list_post_ids(&self, after: Option<PostId>, limit: u32) -> Result<Vec<PostId>, StoreError>;
}

/// A text that is near, and how near: the cosine of the angle between the directions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour<I> {
    /// Which one.
    pub id: I,
    /// From -1 to 1.
    pub similarity: f64,
}

/// Finds directions that are near.
#[async_trait]
pub trait VectorIndex: Send + Sync {
    /// Puts directions in, in place of those of the same texts; takes out those that are nothing.
    async fn put(&self, vectors: Vec<(TextId, Option<Direction>)>) -> Result<(), StoreError>;

    /// The nearest markets, the nearest first, at most `limit` and none that is less similar than `least`.
    async fn near_markets(
        &self,
        to: &Direction,
        least: f64,
        limit: usize,
    ) -> Result<Vec<Neighbour<MarketId>>, StoreError>;

    /// The same of posts.
    async fn near_posts(
        &self,
        to: &Direction,
        least: f64,
        limit: usize,
    ) -> Result<Vec<Neighbour<PostId>>, StoreError>;

    /// How many directions are in it.
    async fn count(&self) -> Result<usize, StoreError>;
}
