//! Implementation of the ports for embeddings.

use async_trait::async_trait;
use foretell_domain::id::{MarketId, PostId};
use foretell_ports::error::StoreError;
use foretell_ports::vector::{StoredVector, VectorCursor, VectorQueries, VectorTx};

use crate::store::Store;
use crate::tx::UnitTx;
use crate::vectors;

impl VectorTx for UnitTx<'_, '_> {
    fn save_vectors(&mut self, model: &str, vectors: &[StoredVector]) -> Result<(), StoreError> {
        self.step(|c| vectors::save(c, model, vectors))
    }
}

#[async_trait]
impl VectorQueries for Store {
    async fn list_vectors(
        &self,
        model: &str,
        after: VectorCursor,
        limit: u32,
    ) -> Result<Vec<StoredVector>, StoreError> {
        let model = model.to_owned();
        self.read("list_vectors", move |c| vectors::list(c, &model, after, limit)).await
    }

    async fn list_market_ids(
        &self,
        after: Option<MarketId>,
        limit: u32,
    ) -> Result<Vec<MarketId>, StoreError> {
        self.read("list_market_ids", move |c| vectors::list_market_ids(c, after, limit)).await
    }

    async fn list_post_ids(&self, after: Option<PostId>, limit: u32) -> Result<Vec<PostId>, StoreError> {
        self.read("list_post_ids", move |c| vectors::list_post_ids(c, after, limit)).await
    }
}
