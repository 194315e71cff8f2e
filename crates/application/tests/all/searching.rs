//! Steps of searches: their order, and the treatment of steps that fail, hang and recover.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use foretell_application::error::AppError;
use foretell_application::{Application, SearchStep, Semantic};
use foretell_domain::id::{MarketId, PostId};
use foretell_domain::post::{PostBody, PostStatus};
use foretell_domain::search::SearchQuery;
use foretell_domain::tag::Tags;
use foretell_domain::text::{PostContent, PostTitle};
use foretell_ports::error::StoreError;
use foretell_ports::post::PostFilter;
use foretell_ports::search::SearchPage;
use foretell_ports::vector::{Embedder, Embedding, Neighbour, TextId, VectorCursor, VectorIndex};

use crate::support::Fixture;

/// An embedder that knows wet things and a few other words.
struct Weather;

impl Embedder for Weather {
    fn model(&self) -> &'static str {
        "weather"
    }

    fn embed(&self, text: &str) -> Vec<f32> {
        let text = text.to_lowercase();
        let is_wet = ["rain", "wet"].iter().any(|word| text.contains(word));
        if is_wet { vec![1.0, 0.0] } else { vec![0.0, 1.0] }
    }

    fn knows(&self, word: &str) -> bool {
        ["rain", "wet", "dry", "is", "it"].contains(&word)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Working,
    Failing,
    Hanging,
}

/// An index of posts whose behaviour a test controls.
#[derive(Clone)]
struct Moody {
    mood: Arc<Mutex<Mood>>,
    posts: Arc<Mutex<Vec<(PostId, Embedding)>>>,
}

impl Moody {
    fn new() -> Self {
        Self { mood: Arc::new(Mutex::new(Mood::Working)), posts: Arc::default() }
    }

    fn become_so(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
}

#[async_trait]
impl VectorIndex for Moody {
    async fn put(&self, vectors: Vec<(TextId, Option<Embedding>)>) -> Result<(), StoreError> {
        let mut posts = self.posts.lock().unwrap();
        for (text, embedding) in vectors {
            let TextId::Post(post) = text else { continue };
            posts.retain(|(id, _)| *id != post);
            posts.extend(embedding.map(|embedding| (post, embedding)));
        }
        Ok(())
    }

    async fn near_markets(
        &self,
        _: &Embedding,
        _: f64,
        _: usize,
    ) -> Result<Vec<Neighbour<MarketId>>, StoreError> {
        Ok(Vec::new())
    }

    async fn near_posts(
        &self,
        to: &Embedding,
        _: f64,
        _: usize,
    ) -> Result<Vec<Neighbour<PostId>>, StoreError> {
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Working => {}
            Mood::Failing => return Err(StoreError::Unavailable("the index is away".into())),
            Mood::Hanging => std::future::pending::<()>().await,
        }
        let posts = self.posts.lock().unwrap();
        let is_wet = |embedding: &Embedding| embedding.numbers()[0] == 127;
        let near = posts.iter().filter(|(_, embedding)| is_wet(embedding) == is_wet(to));
        Ok(near.map(|(id, _)| Neighbour { id: *id, similarity: 1.0 }).collect())
    }

    async fn count(&self) -> Result<usize, StoreError> {
        Ok(self.posts.lock().unwrap().len())
    }
}

/// Opens a fixture with a post on rain and one on drought, and a node with semantic search.
async fn fixture() -> (Fixture, Arc<Application>, Moody) {
    let (fixture, index) = (Fixture::open().await, Moody::new());
    let author = fixture.user().await;
    for (title, status) in [
        ("Rain", PostStatus::Published),
        ("A dry June, it is", PostStatus::Published),
        ("Rain again", PostStatus::Draft),
    ] {
        let (title, content) = (PostTitle::new(title).unwrap(), PostContent::new("So.").unwrap());
        let body = PostBody { title, content, tags: Tags::default(), status };
        fixture.app.content.write_post(&author, body).await.unwrap();
    }
    let node = fixture
        .node_that_knows(Semantic::new(Arc::new(Weather), Arc::new(index.clone()), 0.5))
        .await;
    (fixture, node, index)
}

/// Returns the titles that a query finds, and the step that has found them.
async fn found(node: &Application, query: &str) -> (Vec<String>, SearchStep) {
    let query = SearchQuery::parse(query).unwrap();
    let filter = PostFilter { status: PostStatus::Published, author_id: None, tag: None };
    let page = SearchPage { offset: 0, limit: 10 };
    let found = node
        .search
        .search_posts(&node.search.admit_search().await.unwrap(), None, &query, &filter, page)
        .await
        .unwrap();
    let posts = found.hits.iter().filter_map(|(post, _)| post.as_ref());
    (posts.map(|post| post.body.title.as_str().to_owned()).collect(), found.step)
}

async fn check(node: &Application, query: &str, titles: &[&str], step: SearchStep) {
    let (found, by) = found(node, query).await;
    assert_eq!(
        (found.iter().map(String::as_str).collect::<Vec<_>>(), by),
        (titles.to_vec(), step),
        "{query}"
    );
}

#[tokio::test]
async fn known_query_uses_ready_semantic_index() {
    let (_fixture, node, index) = fixture().await;
    check(&node, "wet", &[], SearchStep::Substring).await;
    assert_eq!(node.search.embed_all(|_| {}).await.unwrap(), 3);
    node.search.read_vectors(VectorCursor::BEGIN).await.unwrap();
    assert_eq!(index.count().await.unwrap(), 2, "a draft is not found by anyone");
    check(&node, "wet", &["Rain"], SearchStep::Semantic).await;
    check(&node, "\"rain\"", &["Rain"], SearchStep::FullText).await;
    check(&node, "june", &["A dry June, it is"], SearchStep::FullText).await;
    check(&node, "jun", &["A dry June, it is"], SearchStep::Substring).await;
    // The model knows one of the words, so it is used when no text has both.
    check(&node, "wet outlook", &["Rain"], SearchStep::Semantic).await;
    check(&node, "outlook", &[], SearchStep::Substring).await;
}

#[tokio::test(start_paused = true)]
async fn failing_index_falls_back_to_next_step() {
    let (_fixture, node, index) = fixture().await;
    node.search.embed_all(|_| {}).await.unwrap();
    node.search.read_vectors(VectorCursor::BEGIN).await.unwrap();
    for mood in [Mood::Failing, Mood::Hanging] {
        index.become_so(mood);
        for _ in 0..5 {
            check(&node, "rain", &["Rain"], SearchStep::FullText).await;
        }
        index.become_so(Mood::Working);
        check(&node, "rain", &["Rain"], SearchStep::FullText).await;
        tokio::time::advance(Duration::from_secs(5)).await;
        check(&node, "rain", &["Rain"], SearchStep::Semantic).await;
    }
}

#[tokio::test(start_paused = true)]
async fn search_over_limit_is_rejected() {
    let (_fixture, node, _) = fixture().await;
    let permit = node.search.admit_search().await.unwrap();
    assert!(matches!(node.search.admit_search().await, Err(AppError::Overloaded)));
    let (waiting, ()) = tokio::join!(node.search.admit_search(), async {
        tokio::task::yield_now().await;
        drop(permit);
    });
    assert!(waiting.is_ok(), "it waits for the permit of the other");
}
