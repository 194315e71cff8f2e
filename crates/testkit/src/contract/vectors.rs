//! Embeddings of texts, and the ids of all texts.

use foretell_domain::id::MarketId;
use foretell_domain::post::PostStatus;
use foretell_ports::vector::{Embedding, StoredVector, TextId, VectorCursor};

use super::Harness;
use super::scene::{Scene, after};

const MODEL: &str = "a model";

async fn market(scene: &Scene) -> MarketId {
    scene.market(|market| market).await.market.id()
}

fn vector(text: impl Into<TextId>, version: i64, seconds: i64) -> StoredVector {
    let embedding = Embedding::quantize(&[0.5, -1.0, 0.0]);
    StoredVector { text: text.into(), version, embedding, written_at: after(seconds) }
}

async fn save(scene: &Scene, model: &'static str, vectors: &[StoredVector]) {
    let vectors = vectors.to_vec();
    scene.commit(move |tx| tx.save_vectors(model, &vectors)).await;
}

async fn stored(scene: &Scene, model: &str) -> Vec<StoredVector> {
    scene.ports.vectors.list_vectors(model, VectorCursor::BEGIN, 100).await.unwrap()
}

/// Embeddings are returned as saved, separately for each model, in the order of their times.
pub async fn vectors_come_back_in_order(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let author = scene.user().await;
    let post = scene.make.post(author.id, PostStatus::Published, &[]);
    let (written, id) = (post.clone(), post.id);
    scene.commit(move |tx| tx.insert_post(&written)).await;
    let (a, b) = (market(&scene).await, market(&scene).await);
    let nothing = StoredVector { embedding: None, ..vector(TextId::Post(id), 3, 2) };
    let all = [vector(TextId::Market(a), 1, 1), nothing, vector(TextId::Market(b), 1, 3)];
    save(&scene, MODEL, &[all[2].clone(), all[0].clone(), all[1].clone()]).await;
    assert_eq!(stored(&scene, MODEL).await, all);
    assert_eq!(stored(&scene, "another").await, []);
    let cursor = VectorCursor { written_at: after(1), id: a.as_u128() };
    assert_eq!(scene.ports.vectors.list_vectors(MODEL, cursor, 1).await.unwrap(), all[1..2]);
    assert_eq!(scene.ports.vectors.list_market_ids(None, 1).await.unwrap(), [a]);
    assert_eq!(scene.ports.vectors.list_market_ids(Some(a), 5).await.unwrap(), [b]);
    assert_eq!(scene.ports.vectors.list_post_ids(None, 5).await.unwrap(), [id]);
    assert_eq!(scene.ports.vectors.list_post_ids(Some(id), 5).await.unwrap(), []);
}

/// An older version is not saved; another model's is.
pub async fn older_version_replaces_nothing(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let id = TextId::Market(market(&scene).await);
    save(&scene, MODEL, &[vector(id, 2, 1)]).await;
    save(&scene, MODEL, &[vector(id, 1, 2)]).await;
    assert_eq!(stored(&scene, MODEL).await, [vector(id, 2, 1)]);
    save(&scene, MODEL, &[vector(id, 2, 3)]).await;
    assert_eq!(stored(&scene, MODEL).await, [vector(id, 2, 3)]);
    save(&scene, "another", &[vector(id, 1, 4)]).await;
    assert_eq!(stored(&scene, MODEL).await, []);
    assert_eq!(stored(&scene, "another").await, [vector(id, 1, 4)]);
}

/// No embedding is saved for an absent text, and deleting a text deletes its embedding.
pub async fn vectors_go_with_their_texts(harness: &dyn Harness) {
    let scene = Scene::open(harness).await;
    let author = scene.user().await;
    let post = scene.make.post(author.id, PostStatus::Published, &[]);
    let (text, id) = (TextId::Post(post.id), post.id);
    save(&scene, MODEL, &[vector(text, 1, 1)]).await;
    assert_eq!(stored(&scene, MODEL).await, []);
    scene.commit(move |tx| tx.insert_post(&post)).await;
    save(&scene, MODEL, &[vector(text, 1, 1)]).await;
    assert_eq!(stored(&scene, MODEL).await.len(), 1);
    scene
        .commit(move |tx| {
            let post = tx.lock_post(id)?.expect("the post is stored");
            tx.delete_post(post)
        })
        .await;
    assert_eq!(stored(&scene, MODEL).await, []);
}
