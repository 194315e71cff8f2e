//! Directions in the vector sets of Redis 8: one index that all nodes share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use deadpool_redis::redis::{AsyncConnectionConfig, Pipeline, Value, cmd};
use foretell_domain::id::{MarketId, PostId};
use foretell_ports::error::StoreError;
use foretell_ports::vector::{Direction, Neighbour, TextId, VectorIndex};
use tokio::time::timeout;

use crate::link::RedisLink;

/// How long a search may wait for Redis; the next step of it is there for the rest.
const SEARCHING: Duration = Duration::from_millis(200);
/// How long writing may take.
const WRITING: Duration = Duration::from_secs(30);
/// How many directions are written at once.
const AT_ONCE: usize = 100;
/// How many candidates Redis looks at: the more, the fewer it misses.
const EXPLORED: usize = 400;

/// Finds directions that are near, in Redis.
pub struct RedisVectorIndex {
    link: Arc<RedisLink>,
    markets: String,
    posts: String,
    /// Whether this process has put anything in: what is empty then has lost it.
    has_put: AtomicBool,
}

impl RedisVectorIndex {
    /// The index of this model, whose vectors share a key with no other's.
    pub fn new(link: Arc<RedisLink>, model: &str) -> Self {
        let name = |of: &str| link.name(&format!("vectors:{model}:{of}"));
        let (markets, posts) = (name("markets"), name("posts"));
        Self { link, markets, posts, has_put: AtomicBool::new(false) }
    }

    /// Whether this Redis has vector sets.
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

    /// What puts these directions in and takes those out that are nothing.
    fn writing(&self, vectors: &[(TextId, Option<Direction>)]) -> Pipeline {
        let mut pipeline = Pipeline::new();
        for (text, direction) in vectors {
            let (key, id) = match text {
                TextId::Market(id) => (&self.markets, id.as_u128()),
                TextId::Post(id) => (&self.posts, id.as_u128()),
            };
            let element = format!("{id:032x}");
            match direction {
                Some(direction) => {
                    pipeline.cmd("VADD").arg(key).arg("FP32").arg(floats(direction)).arg(element).ignore();
                }
                None => {
                    pipeline.cmd("VREM").arg(key).arg(element).ignore();
                }
            }
        }
        pipeline
    }

    /// The texts under a key, whose ids `of` makes of numbers.
    async fn near<I>(
        &self,
        (key, of): (&str, fn(u128) -> I),
        to: &Direction,
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
        if found.is_empty() && self.has_put.load(Ordering::Acquire) && self.count().await? == 0 {
            return Err(unavailable("Redis has lost the index"));
        }
        // Redis gives half of one more than the cosine.
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
    async fn put(&self, vectors: Vec<(TextId, Option<Direction>)>) -> Result<(), StoreError> {
        if vectors.is_empty() {
            return Ok(());
        }
        let written = async {
            let patient = AsyncConnectionConfig::new().set_response_timeout(Some(WRITING));
            let client = self.link.client();
            let mut connection =
                client.get_multiplexed_async_connection_with_config(&patient).await.map_err(unavailable)?;
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
        to: &Direction,
        least: f64,
        limit: usize,
    ) -> Result<Vec<Neighbour<MarketId>>, StoreError> {
        self.near((&self.markets, MarketId::from_u128), to, least, limit).await
    }

    async fn near_posts(
        &self,
        to: &Direction,
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

/// What Redis is given: numbers of four bytes, the lowest first.
fn floats(direction: &Direction) -> Vec<u8> {
    direction.numbers().iter().flat_map(|number| f32::from(*number).to_le_bytes()).collect()
}

async fn within<T>(
    budget: Duration,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    timeout(budget, work).await.unwrap_or_else(|_| Err(unavailable("Redis takes too long")))
}

fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Unavailable(error.into())
}
