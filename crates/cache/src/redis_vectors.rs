//! Embeddings in the vector sets of Redis 8: one index that all nodes share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use deadpool_redis::redis::{AsyncConnectionConfig, Pipeline, Value, cmd};
use foretell_domain::id::{MarketId, PostId};
use foretell_ports::error::StoreError;
use foretell_ports::vector::{Embedding, Neighbour, TextId, VectorIndex};
use tokio::time::timeout;

use crate::link::RedisLink;

/// Timeout of a search; afterwards the search continues with its next step.
const SEARCHING: Duration = Duration::from_millis(200);
/// Timeout of writing.
const WRITING: Duration = Duration::from_secs(30);
/// Number of embeddings written in one round trip.
const AT_ONCE: usize = 100;
/// Number of candidates that Redis examines: the more, the better the recall.
const EXPLORED: usize = 400;

/// Index of embeddings in Redis.
pub struct RedisVectorIndex {
    link: Arc<RedisLink>,
    markets: String,
    posts: String,
    /// `true` if this process has written to the index: an empty index has then been lost.
    has_put: AtomicBool,
}

impl RedisVectorIndex {
    /// Creates the index of this model; each model has its own keys.
    pub fn new(link: Arc<RedisLink>, model: &str) -> Self {
        let name = |of: &str| link.name(&format!("vectors:{model}:{of}"));
        let (markets, posts) = (name("markets"), name("posts"));
        Self { link, markets, posts, has_put: AtomicBool::new(false) }
    }

    /// Returns `true` if this Redis has vector sets.
    pub async fn is_supported(link: &RedisLink) -> bool {
        let asked = async {
            let mut connection = link.connection().await.ok()?;
            let mut known = cmd("COMMAND");
            known.arg("INFO").arg("VSIM");
            known.query_async::<Vec<Value>>(&mut connection).await.ok()
        };
        let known = timeout(Duration::from_secs(1), asked).await.ok().flatten();
        known.is_some_and(|known| matches!(known.as_slice(), [Value::Array(_)]))
    }

    /// Returns the commands that write these embeddings and delete those that are `None`.
    fn writing(&self, vectors: &[(TextId, Option<Embedding>)]) -> Pipeline {
        let mut pipeline = Pipeline::new();
        for (text, embedding) in vectors {
            let (key, id) = match text {
                TextId::Market(id) => (&self.markets, id.as_u128()),
                TextId::Post(id) => (&self.posts, id.as_u128()),
            };
            let element = format!("{id:032x}");
            match embedding {
                Some(embedding) => {
                    pipeline
                        .cmd("VADD")
                        .arg(key)
                        .arg("FP32")
                        .arg(floats(embedding))
                        .arg(element)
                        .ignore();
                }
                None => {
                    pipeline.cmd("VREM").arg(key).arg(element).ignore();
                }
            }
        }
        pipeline
    }

    /// Returns the neighbours under a key; `of` converts a number to an id.
    async fn near<I>(
        &self,
        (key, of): (&str, fn(u128) -> I),
        to: &Embedding,
        least: f64,
        limit: usize,
    ) -> Result<Vec<Neighbour<I>>, StoreError> {
        let mut search = cmd("VSIM");
        search.arg(key).arg("FP32").arg(floats(to)).arg("WITHSCORES");
        search.arg("COUNT").arg(limit).arg("EF").arg(EXPLORED.max(limit));
        let asked = async {
            let mut connection = self.link.connection().await.map_err(unavailable)?;
            search.query_async::<Vec<(String, f64)>>(&mut connection).await.map_err(unavailable)
        };
        let found = within(SEARCHING, asked).await?;
        // An empty result may also mean that Redis has restarted without its data; the caller must
        // then rebuild the index instead of trusting it.
        if found.is_empty() && self.has_put.load(Ordering::Acquire) && self.count().await? == 0 {
            return Err(unavailable("redis has lost the vector index"));
        }
        // Redis returns (1 + cosine) / 2.
        let near = found.into_iter().map(|(element, score)| (element, 2.0 * score - 1.0));
        let near = near.filter(|(_, similarity)| *similarity >= least);
        let neighbour = |(element, similarity): (String, f64)| {
            let id = u128::from_str_radix(&element, 16).ok()?;
            Some(Neighbour { id: of(id), similarity })
        };
        Ok(near.filter_map(neighbour).collect())
    }
}

#[async_trait]
impl VectorIndex for RedisVectorIndex {
    async fn put(&self, vectors: Vec<(TextId, Option<Embedding>)>) -> Result<(), StoreError> {
        if vectors.is_empty() {
            return Ok(());
        }
        let written = async {
            // Not over the shared connection: its response timeout is far too short for large
            // writes.
            let patient = AsyncConnectionConfig::new().set_response_timeout(Some(WRITING));
            let client = self.link.client();
            let mut connection = client
                .get_multiplexed_async_connection_with_config(&patient)
                .await
                .map_err(unavailable)?;
            for part in vectors.chunks(AT_ONCE) {
                let written = self.writing(part).query_async::<()>(&mut connection).await;
                written.map_err(unavailable)?;
            }
            Ok(())
        };
        within(WRITING, written).await?;
        self.has_put.store(true, Ordering::Release);
        Ok(())
    }

    async fn near_markets(
        &self,
        to: &Embedding,
        least: f64,
        limit: usize,
    ) -> Result<Vec<Neighbour<MarketId>>, StoreError> {
        self.near((&self.markets, MarketId::from_u128), to, least, limit).await
    }

    async fn near_posts(
        &self,
        to: &Embedding,
        least: f64,
        limit: usize,
    ) -> Result<Vec<Neighbour<PostId>>, StoreError> {
        self.near((&self.posts, PostId::from_u128), to, least, limit).await
    }

    async fn count(&self) -> Result<usize, StoreError> {
        let counted = async {
            let mut connection = self.link.connection().await.map_err(unavailable)?;
            let mut pipeline = Pipeline::new();
            pipeline.cmd("VCARD").arg(&self.markets).cmd("VCARD").arg(&self.posts);
            pipeline.query_async::<(usize, usize)>(&mut connection).await.map_err(unavailable)
        };
        let (markets, posts) = within(SEARCHING, counted).await?;
        Ok(markets + posts)
    }
}

/// Converts an embedding to little-endian 32-bit floats, as Redis expects.
fn floats(embedding: &Embedding) -> Vec<u8> {
    embedding.numbers().iter().flat_map(|number| f32::from(*number).to_le_bytes()).collect()
}

async fn within<T>(
    budget: Duration,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    timeout(budget, work).await.unwrap_or_else(|_| Err(unavailable("redis timed out")))
}

fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Unavailable(error.into())
}
