//! Text search, by words and by substrings.

use async_trait::async_trait;
use foretell_domain::id::{MarketId, PostId};
use foretell_domain::search::{SearchLanguage, SearchQuery};

use crate::error::StoreError;
use crate::market::MarketFilter;
use crate::post::PostFilter;

/// Search method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SearchMethod {
    /// By words in all their forms: an alternative of the query matches. A match in the name or
    /// title scores higher than one in the text.
    FullText,
    /// By substrings of the query, ignoring case: the text contains all substrings of an
    /// alternative. No character is a wildcard. A query of substrings with one or two characters
    /// only searches the newest texts.
    Substring,
}

/// Requested page of matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchPage {
    /// Number of matches to skip.
    pub offset: i64,
    /// Maximum number of matches.
    pub limit: u32,
}

/// One match.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit<I> {
    /// Identifier of the matching resource.
    pub id: I,
    /// Score, 0 or more; comparable only among the matches of one search.
    pub score: f64,
}

/// Matches of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Hits<I> {
    /// By descending score, and equal ones newest first.
    pub hits: Vec<Hit<I>>,
    /// Number of matches on all pages: adapters may ignore all but the newest few hundred.
    pub total: i64,
}

/// Searches texts.
#[async_trait]
pub trait TextSearch: Send + Sync {
    /// Returns the number of concurrent searches; at least 1. Further searches wait.
    fn capacity(&self) -> usize;

    /// Returns the language whose words are stemmed.
    fn language(&self) -> SearchLanguage;

    /// Returns `true` if all texts are indexed, as far as this process knows.
    fn is_indexed(&self) -> bool;

    /// Indexes some of the texts that are not indexed, and returns their number; 0 if all are.
    /// Texts are indexed when they are written; this is for the rest: texts written before a change
    /// of the language, and texts of a lost index.
    async fn index_texts(&self) -> Result<usize, StoreError>;

    /// Deletes the index, so that [`TextSearch::index_texts`] rebuilds it.
    async fn clear_index(&self) -> Result<(), StoreError>;

    /// Searches markets among those that match a filter.
    async fn search_markets(
        &self,
        method: SearchMethod,
        query: &SearchQuery,
        filter: &MarketFilter,
        page: SearchPage,
    ) -> Result<Hits<MarketId>, StoreError>;

    /// Searches posts among those that match a filter.
    async fn search_posts(
        &self,
        method: SearchMethod,
        query: &SearchQuery,
        filter: &PostFilter,
        page: SearchPage,
    ) -> Result<Hits<PostId>, StoreError>;
}
