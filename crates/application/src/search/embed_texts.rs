//! Keeps embeddings in step with texts: jobs store embeddings, and each node reads them into its
//! index.

use std::sync::atomic::Ordering;

use foretell_domain::id::{JobId, MarketId, PostId};
use foretell_domain::job::JobTask;
use foretell_domain::post::PostStatus;
use foretell_domain::time::Timestamp;
use foretell_ports::error::{Chain, StoreError};
use foretell_ports::job::NewJob;
use foretell_ports::market::MarketFilter;
use foretell_ports::post::PostFilter;
use foretell_ports::vector::{StoredVector, TextId, VectorCursor};

use super::Search;
use crate::search::semantic::Semantic;

/// Number of texts in one step.
const AT_ONCE: u32 = 200;
/// Number of embeddings in one query.
const READ_AT_ONCE: u32 = 2_000;

/// Overlap of two reads, 10 seconds: a unit of work may commit later than the time in its rows.
const OVERLAP_US: i64 = 10_000_000;

impl Search {
    /// Reads the embeddings written after a cursor into the index, and returns the next cursor. It
    /// reads all of them the first time, from [`VectorCursor::BEGIN`], and whenever the index was
    /// lost; after that the semantic search is ready.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn read_vectors(&self, from: VectorCursor) -> Result<VectorCursor, StoreError> {
        let Some(semantic) = &self.semantic else { return Ok(from) };
        let from = if semantic.index.count().await? == 0 { VectorCursor::BEGIN } else { from };
        let mut cursor = from;
        loop {
            let read =
                self.vectors.list_vectors(semantic.embedder.model(), cursor, READ_AT_ONCE).await?;
            let is_all = read.len() < READ_AT_ONCE as usize;
            if let Some(last) = read.last() {
                cursor = VectorCursor { written_at: last.written_at, id: last.text.as_u128() };
            }
            semantic
                .index
                .put(read.into_iter().map(|vector| (vector.text, vector.embedding)).collect())
                .await?;
            if is_all {
                break;
            }
        }
        semantic.is_ready.store(true, Ordering::Release);
        let settled = self.context.now().micros().saturating_sub(OVERLAP_US);
        let settled = VectorCursor { written_at: Timestamp::from_micros(settled), id: 0 };
        Ok(cursor.min(settled).max(from))
    }

    /// Returns the semantic search; `None` if there is no model.
    pub fn semantic(&self) -> Option<&Semantic> {
        self.semantic.as_ref()
    }

    /// Schedules the embedding of every text; once for each model, however many nodes call it.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn enqueue_embed_all(&self) -> Result<(), StoreError> {
        let Some(semantic) = &self.semantic else { return Ok(()) };
        let name = format!("embed_all:{}", semantic.embedder.model());
        let now = self.context.now();
        let job = NewJob {
            id: JobId::from_u128(self.context.next_id()),
            task: JobTask::EmbedAll,
            run_at: now,
            once: Some(name),
            created_at: now,
        };
        self.context
            .units
            .run("enqueue_embed_all", move |tx| tx.add_jobs(std::slice::from_ref(&job)))
            .await?;
        Ok(())
    }

    /// Embeds every market and post, and reports the number done after each step.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn embed_all(&self, mut progress: impl FnMut(u64) + Send) -> Result<u64, StoreError> {
        let (mut done, mut last) = (0, None);
        loop {
            let ids = self.vectors.list_market_ids(last, AT_ONCE).await?;
            let Some(next) = ids.last().copied() else { break };
            self.embed_markets(&ids).await?;
            (last, done) = (Some(next), done + ids.len() as u64);
            progress(done);
        }
        let mut last = None;
        loop {
            let ids = self.vectors.list_post_ids(last, AT_ONCE).await?;
            let Some(next) = ids.last().copied() else { break };
            self.embed_posts(&ids).await?;
            (last, done) = (Some(next), done + ids.len() as u64);
            progress(done);
        }
        Ok(done)
    }

    /// Returns the number of markets and published posts.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn count_texts(&self) -> Result<u64, StoreError> {
        let published = PostFilter { status: PostStatus::Published, author_id: None, tag: None };
        let markets = self.markets.count_markets(&MarketFilter::default()).await?;
        let posts = self.posts.count_posts(&published).await?;
        Ok(u64::try_from(markets + posts).unwrap_or(0))
    }

    /// Computes and stores the embeddings of markets.
    pub(crate) async fn embed_markets(&self, ids: &[MarketId]) -> Result<(), StoreError> {
        let Some(semantic) = &self.semantic else { return Ok(()) };
        let written_at = self.context.now();
        let found = self.markets.find_markets(ids).await?;
        let vectors = found.iter().map(|market| StoredVector {
            text: TextId::Market(market.market.id()),
            version: market.market.record().version,
            embedding: semantic.embed_market(market),
            written_at,
        });
        self.save_vectors(semantic, vectors.collect()).await
    }

    /// Computes and stores the embeddings of posts.
    pub(crate) async fn embed_posts(&self, ids: &[PostId]) -> Result<(), StoreError> {
        let Some(semantic) = &self.semantic else { return Ok(()) };
        let written_at = self.context.now();
        let found = self.posts.find_posts(ids).await?;
        let vectors = found.iter().map(|post| StoredVector {
            text: TextId::Post(post.id),
            version: post.version,
            embedding: semantic.embed_post(post),
            written_at,
        });
        self.save_vectors(semantic, vectors.collect()).await
    }

    /// Stores embeddings and adds them to the index of this node.
    async fn save_vectors(
        &self,
        semantic: &Semantic,
        vectors: Vec<StoredVector>,
    ) -> Result<(), StoreError> {
        let model = semantic.embedder.model().to_owned();
        let put = vectors.iter().map(|vector| (vector.text, vector.embedding.clone())).collect();
        self.context.units.run("save_vectors", move |tx| tx.save_vectors(&model, &vectors)).await?;
        // If the index fails now, the next read adds them again.
        if let Err(error) = semantic.index.put(put).await {
            tracing::debug!(
                error = %Chain(&error),
                "adding embeddings to the index failed, they are added with the next read"
            );
        }
        Ok(())
    }
}
