//! Searching: what is found by words, and by parts of words.

use async_trait::async_trait;
use foretell_domain::id::{MarketId, PostId};
use foretell_domain::search::{SearchLanguage, SearchQuery};

use crate::error::StoreError;
use crate::market::MarketFilter;
use crate::post::PostFilter;

/// How something is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SearchMethod {
    /// By words in all their forms: an alternative of the query is met. A hit in the name or title counts more than one in
    /// the rest.
    FullText,
    /// By the parts of the query, in upper or lower case: all parts of an alternative are in the text. No character of a
    /// part has a meaning. Parts of one or two characters alone are looked for in the newest texts.
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
    /// How many there are on all pages: adapters may leave out all but the newest few hundred.
    pub total: i64,
}

/// Searches texts.
#[async_trait]
pub trait TextSearch: Send + Sync {
    /// How many searches it can run at once; at least 1. More wait for each other.
    fn capacity(&self) -> usize;

    /// The language whose words are found in all their forms.
    fn language(&self) -> SearchLanguage;

    /// Whether all texts are indexed, as far as this process knows.
    fn is_indexed(&self) -> bool;

    /// Indexes some of the texts that are not indexed, and returns how many; 0 if all are. Texts are indexed when they are
    /// written; this is for all others: those of before a change of the language, and those of a lost index.
    async fn index_texts(&self) -> Result<usize, StoreError>;

    /// Empties the index, so that [`TextSearch::index_texts`] builds it anew.
    async fn clear_index(&self) -> Result<(), StoreError>;

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
