//! Embeddings in memory.

use async_trait::async_trait;
use foretell_domain::id::{MarketId, PostId};
use foretell_ports::error::StoreError;
use foretell_ports::vector::{StoredVector, TextId, VectorCursor, VectorQueries, VectorTx};

use super::MemoryStore;
use super::tx::MemoryTx;

impl VectorTx for MemoryTx<'_> {
    fn save_vectors(&mut self, model: &str, vectors: &[StoredVector]) -> Result<(), StoreError> {
        self.step(|tables, _| {
            for vector in vectors {
                let is_there = match vector.text {
                    TextId::Market(id) => tables.markets.get(&id).is_some(),
                    TextId::Post(id) => tables.posts.get(&id).is_some(),
                };
                let is_newer = tables
                    .vectors
                    .get(&vector.text)
                    .is_none_or(|(of, stored)| of != model || stored.version <= vector.version);
                if is_there && is_newer {
                    tables.vectors.put(vector.text, (model.to_owned(), vector.clone()));
                }
            }
            Ok(())
        })
    }
}

#[async_trait]
impl VectorQueries for MemoryStore {
    async fn list_vectors(
        &self,
        model: &str,
        after: VectorCursor,
        limit: u32,
    ) -> Result<Vec<StoredVector>, StoreError> {
        let tables = self.read()?;
        let is_there = |text: &TextId| match text {
            TextId::Market(id) => tables.markets.committed().contains_key(id),
            TextId::Post(id) => tables.posts.committed().contains_key(id),
        };
        let cursor = |vector: &StoredVector| VectorCursor {
            written_at: vector.written_at,
            id: vector.text.as_u128(),
        };
        let stored = tables
            .vectors
            .committed()
            .iter()
            .filter(|(text, (of, _))| of == model && is_there(text));
        let mut vectors: Vec<_> = stored
            .map(|(_, (_, vector))| vector.clone())
            .filter(|vector| cursor(vector) > after)
            .collect();
        vectors.sort_by_key(cursor);
        vectors.truncate(limit as usize);
        Ok(vectors)
    }

    async fn list_market_ids(
        &self,
        after: Option<MarketId>,
        limit: u32,
    ) -> Result<Vec<MarketId>, StoreError> {
        let tables = self.read()?;
        let ids = tables.markets.committed().keys().copied().filter(|id| Some(*id) > after);
        Ok(ids.take(limit as usize).collect())
    }

    async fn list_post_ids(
        &self,
        after: Option<PostId>,
        limit: u32,
    ) -> Result<Vec<PostId>, StoreError> {
        let tables = self.read()?;
        let ids = tables.posts.committed().keys().copied().filter(|id| Some(*id) > after);
        Ok(ids.take(limit as usize).collect())
    }
}
