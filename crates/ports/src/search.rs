//! Searching: what is found by words, and by parts of words.

use async_trait::async_trait;
use foretell_domain::id::{MarketId, PostId};
use foretell_domain::search::SearchQuery;

use crate::error::StoreError;
use crate::market::MarketFilter;
use crate::post::PostFilter;

/// How something is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SearchMethod {
    /// By whole words: an alternative of the query is met. A hit in the name or title counts more than one in the rest.
    FullText,
    /// By the text of the query as it stands, in upper or lower case: it is in the name or title, or in the rest. No
    /// character of it has a meaning.
    Substring,
}

/// Which hits are wanted: so many after the first `offset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchPage {
    /// How many hits are passed over.
    pub offset: i64,
    /// At most so many.
    pub limit: u32,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit<I> {
    /// Which one.
    pub id: I,
    /// How well it fits, 0 or more; comparable among the hits of one search alone.
    pub score: f64,
}

/// What was found of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Hits<I> {
    /// The best first, and of equal ones the newest.
    pub hits: Vec<Hit<I>>,
    /// How many there are on all pages.
    pub total: i64,
}

/// Searches texts.
#[async_trait]
pub trait TextSearch: Send + Sync {
    /// How many searches it can run at once; at least 1. More wait for each other.
    fn capacity(&self) -> usize;

    /// Markets among those that a filter lets through.
    async fn search_markets(
        &self,
        method: SearchMethod,
        query: &SearchQuery,
        filter: &MarketFilter,
        page: SearchPage,
    ) -> Result<Hits<MarketId>, StoreError>;

    /// Posts among those that a filter lets through.
    async fn search_posts(
        &self,
        method: SearchMethod,
        query: &SearchQuery,
        filter: &PostFilter,
        page: SearchPage,
    ) -> Result<Hits<PostId>, StoreError>;
}
