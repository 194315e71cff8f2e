//! In-memory index: it compares every embedding, which takes a few milliseconds for a hundred
//! thousand.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use async_trait::async_trait;
use foretell_domain::id::{MarketId, PostId};
use foretell_ports::error::StoreError;
use foretell_ports::vector::{Embedding, Neighbour, TextId, VectorIndex};

/// Number of embeddings above which a search yields to other tasks.
const QUICK: usize = 2_000;

/// All embeddings of one kind of text, one after another.
#[derive(Debug)]
struct VectorStore<I> {
    ids: Vec<I>,
    numbers: Vec<i8>,
    lengths: Vec<f64>,
    slots: HashMap<I, usize>,
    dimensions: usize,
}

impl<I> Default for VectorStore<I> {
    fn default() -> Self {
        let (ids, numbers, lengths) = (Vec::new(), Vec::new(), Vec::new());
        Self { ids, numbers, lengths, slots: HashMap::new(), dimensions: 0 }
    }
}

impl<I: Copy + Eq + Ord + Hash> VectorStore<I> {
    fn put(&mut self, id: I, embedding: &Embedding) {
        let numbers = embedding.numbers();
        if self.ids.is_empty() {
            self.dimensions = numbers.len();
        }
        if numbers.len() != self.dimensions {
            return;
        }
        let length = length_of(numbers);
        if let Some(slot) = self.slots.get(&id).copied() {
            let begin = slot * self.dimensions;
            if let Some(old) = self.numbers.get_mut(begin..begin + self.dimensions) {
                old.copy_from_slice(numbers);
            }
            if let Some(old) = self.lengths.get_mut(slot) {
                *old = length;
            }
        } else {
            self.slots.insert(id, self.ids.len());
            self.ids.push(id);
            self.numbers.extend_from_slice(numbers);
            self.lengths.push(length);
        }
    }

    /// Removes an embedding; the last one takes its slot.
    fn remove(&mut self, id: I) {
        let Some(slot) = self.slots.remove(&id) else { return };
        let (last, size) = (self.ids.len() - 1, self.dimensions);
        self.numbers.copy_within(last * size.., slot * size);
        self.numbers.truncate(last * size);
        self.ids.swap_remove(slot);
        self.lengths.swap_remove(slot);
        if let Some(moved) = self.ids.get(slot) {
            self.slots.insert(*moved, slot);
        }
    }

    fn near(&self, to: &Embedding, least: f64, limit: usize) -> Vec<Neighbour<I>> {
        let wanted = to.numbers();
        if wanted.len() != self.dimensions || wanted.is_empty() {
            return Vec::new();
        }
        let length = length_of(wanted);
        let rows = self.numbers.chunks_exact(self.dimensions).zip(&self.lengths).zip(&self.ids);
        let mut near: Vec<_> = rows
            .map(|((numbers, own), id)| Neighbour {
                id: *id,
                similarity: f64::from(dot(numbers, wanted)) / (length * own),
            })
            .filter(|neighbour| neighbour.similarity >= least)
            .collect();
        // By descending similarity, and equal ones newest first.
        near.sort_unstable_by(|a, b| b.similarity.total_cmp(&a.similarity).then(b.id.cmp(&a.id)));
        near.truncate(limit);
        near
    }
}

/// Returns the dot product. It cannot overflow below 130,000 dimensions; overflow checks would
/// prevent vectorisation.
fn dot(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).fold(0, |sum, (a, b)| {
        sum.wrapping_add(i32::from(i16::from(*a).wrapping_mul(i16::from(*b))))
    })
}

fn length_of(numbers: &[i8]) -> f64 {
    f64::from(dot(numbers, numbers)).sqrt()
}

#[derive(Debug, Default)]
struct VectorStores {
    markets: VectorStore<MarketId>,
    posts: VectorStore<PostId>,
}

/// Index of embeddings in this process.
#[derive(Debug, Default, Clone)]
pub struct MemoryIndex(Arc<RwLock<VectorStores>>);

impl MemoryIndex {
    fn read(&self) -> RwLockReadGuard<'_, VectorStores> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    async fn near<I: Copy + Eq + Ord + Hash + Send + 'static>(
        &self,
        which: fn(&VectorStores) -> &VectorStore<I>,
        to: &Embedding,
        least: f64,
        limit: usize,
    ) -> Result<Vec<Neighbour<I>>, StoreError> {
        {
            let all = self.read();
            let wanted = which(&all);
            if wanted.ids.len() <= QUICK {
                return Ok(wanted.near(to, least, limit));
            }
        }
        let (index, to) = (self.clone(), to.clone());
        let search = move || which(&index.read()).near(&to, least, limit);
        tokio::task::spawn_blocking(search)
            .await
            .map_err(|error| StoreError::Unavailable(error.into()))
    }
}

#[async_trait]
impl VectorIndex for MemoryIndex {
    async fn put(&self, vectors: Vec<(TextId, Option<Embedding>)>) -> Result<(), StoreError> {
        let mut stores = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (text, embedding) in vectors {
            match (text, embedding) {
                (TextId::Market(id), Some(embedding)) => stores.markets.put(id, &embedding),
                (TextId::Post(id), Some(embedding)) => stores.posts.put(id, &embedding),
                (TextId::Market(id), None) => stores.markets.remove(id),
                (TextId::Post(id), None) => stores.posts.remove(id),
            }
        }
        Ok(())
    }

    async fn near_markets(
        &self,
        to: &Embedding,
        least: f64,
        limit: usize,
    ) -> Result<Vec<Neighbour<MarketId>>, StoreError> {
        self.near(|stores| &stores.markets, to, least, limit).await
    }

    async fn near_posts(
        &self,
        to: &Embedding,
        least: f64,
        limit: usize,
    ) -> Result<Vec<Neighbour<PostId>>, StoreError> {
        self.near(|stores| &stores.posts, to, least, limit).await
    }

    async fn count(&self) -> Result<usize, StoreError> {
        let stores = self.read();
        Ok(stores.markets.ids.len() + stores.posts.ids.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embedding(x: f32, y: f32) -> Embedding {
        Embedding::quantize(&[x, y]).unwrap()
    }

    async fn near(index: &MemoryIndex, to: &Embedding, limit: usize) -> Vec<(u128, f64)> {
        let near = index.near_markets(to, 0.5, limit).await.unwrap();
        near.iter()
            .map(|near| (near.id.as_u128(), (near.similarity * 100.0).round() / 100.0))
            .collect()
    }

    async fn filled(count: u32) -> MemoryIndex {
        let index = MemoryIndex::default();
        let id = |number: u32| TextId::Market(MarketId::from_u128(u128::from(number)));
        let vectors = [
            (id(1), Some(embedding(1.0, 0.0))),
            (id(2), Some(embedding(1.0, 1.0))),
            (id(3), Some(embedding(-1.0, 0.0))),
        ];
        index.put(vectors.to_vec()).await.unwrap();
        // Far away, so that they change only the size of the index.
        let more = (4..=count).map(|number| (id(number), Some(embedding(-1.0, -1.0)))).collect();
        index.put(more).await.unwrap();
        index
    }

    #[tokio::test]
    async fn nearest_come_first_in_any_index_size() {
        for count in [3, 5_000] {
            let index = filled(count).await;
            assert_eq!(index.count().await.unwrap(), count as usize);
            assert_eq!(near(&index, &embedding(3.0, 0.0), 10).await, [(1, 1.0), (2, 0.71)]);
            assert_eq!(near(&index, &embedding(3.0, 0.0), 1).await, [(1, 1.0)]);
            assert_eq!(near(&index, &embedding(0.0, -1.0), 1).await.len(), usize::from(count > 3));
            assert!(index.near_posts(&embedding(1.0, 0.0), 0.0, 10).await.unwrap().is_empty());
        }
    }

    #[tokio::test]
    async fn put_replaces_or_removes_embedding() {
        let index = filled(3).await;
        let [first, third] = [1, 3].map(|id| TextId::Market(MarketId::from_u128(id)));
        index.put(vec![(third, Some(embedding(1.0, 0.0)))]).await.unwrap();
        assert_eq!(near(&index, &embedding(1.0, 0.0), 10).await, [(3, 1.0), (1, 1.0), (2, 0.71)]);
        index.put(vec![(first, None), (first, None)]).await.unwrap();
        assert_eq!(near(&index, &embedding(1.0, 0.0), 10).await, [(3, 1.0), (2, 0.71)]);
        assert_eq!(index.count().await.unwrap(), 2);
    }

    #[tokio::test]
    async fn embeddings_of_other_model_are_never_near() {
        let index = filled(3).await;
        let other = Embedding::quantize(&[1.0, 0.0, 0.0]).unwrap();
        assert!(near(&index, &other, 10).await.is_empty());
        index.put(vec![(TextId::Market(MarketId::from_u128(9)), Some(other))]).await.unwrap();
        assert_eq!(index.count().await.unwrap(), 3);
    }
}
