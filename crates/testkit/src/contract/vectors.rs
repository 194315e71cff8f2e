//! Embeddings of texts, and the ids of all texts.

use foretell_domain::id::MarketId;
use foretell_domain::post::PostStatus;
use foretell_ports::vector::{Embedding, StoredVector, TextId, VectorCursor};

use super::Harness;
use super::fixture::{Fixture, after};

const MODEL: &str = "a model";

async fn market(fixture: &Fixture) -> MarketId {
    fixture.market(|market| market).await.market.id()
}

fn vector(text: impl Into<TextId>, version: i64, seconds: i64) -> StoredVector {
    let embedding = Embedding::quantize(&[0.5, -1.0, 0.0]);
    StoredVector { text: text.into(), version, embedding, written_at: after(seconds) }
}

async fn save(fixture: &Fixture, model: &'static str, vectors: &[StoredVector]) {
    let vectors = vectors.to_vec();
    fixture.commit(move |tx| tx.save_vectors(model, &vectors)).await;
}

async fn stored(fixture: &Fixture, model: &str) -> Vec<StoredVector> {
    fixture.ports.vectors.list_vectors(model, VectorCursor::BEGIN, 100).await.unwrap()
}

/// Embeddings are returned as saved, separately for each model, in the order of their times.
pub async fn vectors_come_back_in_order(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let author = fixture.user().await;
    let post = fixture.make.post(author.id, PostStatus::Published, &[]);
    let (written, id) = (post.clone(), post.id);
    fixture.commit(move |tx| tx.insert_post(&written)).await;
    let (a, b) = (market(&fixture).await, market(&fixture).await);
    let nothing = StoredVector { embedding: None, ..vector(TextId::Post(id), 3, 2) };
    let all = [vector(TextId::Market(a), 1, 1), nothing, vector(TextId::Market(b), 1, 3)];
    save(&fixture, MODEL, &[all[2].clone(), all[0].clone(), all[1].clone()]).await;
    assert_eq!(stored(&fixture, MODEL).await, all);
    assert_eq!(stored(&fixture, "another").await, []);
    let cursor = VectorCursor { written_at: after(1), id: a.as_u128() };
    assert_eq!(fixture.ports.vectors.list_vectors(MODEL, cursor, 1).await.unwrap(), all[1..2]);
    assert_eq!(fixture.ports.vectors.list_market_ids(None, 1).await.unwrap(), [a]);
    assert_eq!(fixture.ports.vectors.list_market_ids(Some(a), 5).await.unwrap(), [b]);
    assert_eq!(fixture.ports.vectors.list_post_ids(None, 5).await.unwrap(), [id]);
    assert_eq!(fixture.ports.vectors.list_post_ids(Some(id), 5).await.unwrap(), []);
}

/// An older version is not saved; another model's is.
pub async fn older_version_replaces_nothing(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let id = TextId::Market(market(&fixture).await);
    save(&fixture, MODEL, &[vector(id, 2, 1)]).await;
    save(&fixture, MODEL, &[vector(id, 1, 2)]).await;
    assert_eq!(stored(&fixture, MODEL).await, [vector(id, 2, 1)]);
    save(&fixture, MODEL, &[vector(id, 2, 3)]).await;
    assert_eq!(stored(&fixture, MODEL).await, [vector(id, 2, 3)]);
    save(&fixture, "another", &[vector(id, 1, 4)]).await;
    assert_eq!(stored(&fixture, MODEL).await, []);
    assert_eq!(stored(&fixture, "another").await, [vector(id, 1, 4)]);
}

/// No embedding is saved for an absent text, and deleting a text deletes its embedding.
pub async fn vectors_go_with_their_texts(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let author = fixture.user().await;
    let post = fixture.make.post(author.id, PostStatus::Published, &[]);
    let (text, id) = (TextId::Post(post.id), post.id);
    save(&fixture, MODEL, &[vector(text, 1, 1)]).await;
    assert_eq!(stored(&fixture, MODEL).await, []);
    fixture.commit(move |tx| tx.insert_post(&post)).await;
    save(&fixture, MODEL, &[vector(text, 1, 1)]).await;
    assert_eq!(stored(&fixture, MODEL).await.len(), 1);
    fixture
        .commit(move |tx| {
            let post = tx.lock_post(id)?.expect("the post is stored");
            tx.delete_post(post)
        })
        .await;
    assert_eq!(stored(&fixture, MODEL).await, []);
}
