//! Searches markets and posts: by the embedding of the query; if that finds nothing or fails, by
//! its words; and then by substrings. If the model does not know all words of the query, embeddings
//! come last: the words may be names, or parts of words.

use std::collections::BTreeMap;
use std::future::Future;

use foretell_domain::id::{MarketId, PostId};
use foretell_domain::post::{Post, PostStatus};
use foretell_domain::search::{SearchLanguage, SearchQuery};
use foretell_ports::error::StoreError;
use foretell_ports::market::{MarketDetails, MarketFilter};
use foretell_ports::post::PostFilter;
use foretell_ports::search::{Hit, Hits, SearchMethod, SearchPage};
use foretell_ports::vector::{Neighbour, TextId};

use super::Search;
use crate::Caller;
use crate::content::read_posts::visible;
use crate::error::AppError;
use crate::search::search_permits::SearchPermit;
use crate::search::search_steps::SearchStep;
use crate::search::semantic::{Coverage, QueryVector, Semantic};

/// Maximum number of semantic matches: less similar texts are rarely relevant.
const MAX_NEAR: usize = 200;

/// Steps that search texts.
const TEXT_STEPS: [(SearchStep, SearchMethod); 2] = [
    (SearchStep::FullText, SearchMethod::FullText),
    (SearchStep::Substring, SearchMethod::Substring),
];

/// Matches, and the step that found them.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<T> {
    /// Matches with their scores, the best first; `None` for one that was deleted or is unreadable.
    pub hits: Vec<(Option<T>, f64)>,
    /// Number of matches on all pages.
    pub total: i64,
    /// Step that found them; the last one if none has.
    pub step: SearchStep,
}

impl<T> Found<T> {
    const fn nothing() -> Self {
        Self { hits: Vec::new(), total: 0, step: SearchStep::Substring }
    }
}

impl Search {
    /// Searches markets.
    ///
    /// # Errors
    /// [`AppError::Store`] if every step failed.
    pub async fn search_markets(
        &self,
        _permit: &SearchPermit,
        query: &SearchQuery,
        filter: &MarketFilter,
        page: SearchPage,
    ) -> Result<Found<MarketDetails>, AppError> {
        let vector = self.query_vector(query);
        let near = async {
            let Some((semantic, vector)) = &vector else { return Ok(Found::nothing()) };
            let near =
                semantic.index.near_markets(&vector.embedding, semantic.least, MAX_NEAR).await?;
            if *filter == MarketFilter::default() {
                return self.near_page(semantic, near, page).await;
            }
            let ids: Vec<_> = near.iter().map(|neighbour| neighbour.id).collect();
            let mut markets = self.markets.find_markets(&ids).await?;
            markets.retain(|found| filter.wants(&found.market, &found.texts));
            Ok(near_found(join(scores(near), markets, market_id), page))
        };
        let by_text = async {
            let search = &self.texts;
            let (step, hits) = self
                .first_found(|method| search.search_markets(method, query, filter, page))
                .await?;
            let ids: Vec<MarketId> = hits.hits.iter().map(|hit| hit.id).collect();
            let markets = self.markets.find_markets(&ids).await?;
            Ok(Found { total: hits.total, hits: in_place(hits.hits, markets, market_id), step })
        };
        self.in_order(coverage(vector.as_ref()), near, by_text).await
    }

    /// Searches posts: published ones, or the caller's own drafts, which are never indexed.
    ///
    /// # Errors
    /// [`AppError::Store`] if every step failed.
    pub async fn search_posts(
        &self,
        _permit: &SearchPermit,
        caller: Option<&Caller>,
        query: &SearchQuery,
        filter: &PostFilter,
        page: SearchPage,
    ) -> Result<Found<Post>, AppError> {
        let Some(filter) = &visible(caller, filter) else {
            return Ok(Found::nothing());
        };
        let published = filter.status == PostStatus::Published;
        let vector = self.query_vector(query).filter(|_| published);
        let near = async {
            let Some((semantic, vector)) = &vector else { return Ok(Found::nothing()) };
            let near =
                semantic.index.near_posts(&vector.embedding, semantic.least, MAX_NEAR).await?;
            let ids: Vec<_> = near.iter().map(|neighbour| neighbour.id).collect();
            let mut posts = self.posts.find_posts(&ids).await?;
            posts.retain(|post| filter.wants(post));
            Ok(near_found(join(scores(near), posts, |post| post.id), page))
        };
        let by_text = async {
            let search = &self.texts;
            let (step, hits) =
                self.first_found(|method| search.search_posts(method, query, filter, page)).await?;
            let ids: Vec<PostId> = hits.hits.iter().map(|hit| hit.id).collect();
            let mut posts = self.posts.find_posts(&ids).await?;
            // A post may have become a draft after it was found.
            posts.retain(|post| post.body.status == filter.status);
            Ok(Found { total: hits.total, hits: in_place(hits.hits, posts, |post| post.id), step })
        };
        self.in_order(coverage(vector.as_ref()), near, by_text).await
    }

    /// Returns the language whose words are stemmed.
    pub fn search_language(&self) -> SearchLanguage {
        self.texts.language()
    }

    /// Returns `true` if all texts are indexed, as far as this process knows.
    pub fn is_search_indexed(&self) -> bool {
        self.texts.is_indexed()
    }

    /// Indexes some of the texts that are not indexed, and returns their number; 0 if all are.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn index_texts(&self) -> Result<usize, StoreError> {
        self.texts.index_texts().await
    }

    /// Rebuilds the index of all texts.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn rebuild_text_index(&self) -> Result<(), StoreError> {
        self.texts.clear_index().await?;
        while self.index_texts().await? > 0 {}
        Ok(())
    }

    /// Returns the embedding of a query, if there is an index for it.
    fn query_vector(&self, query: &SearchQuery) -> Option<(&Semantic, QueryVector)> {
        let semantic = self.semantic.as_ref().filter(|semantic| semantic.is_ready())?;
        Some((semantic, semantic.embed_query(query)?))
    }

    /// Runs semantic search before text search if the model knows the query, and after it
    /// otherwise.
    async fn in_order<T>(
        &self,
        coverage: Option<Coverage>,
        near: impl Future<Output = Result<Found<T>, StoreError>>,
        by_text: impl Future<Output = Result<Found<T>, StoreError>>,
    ) -> Result<Found<T>, AppError> {
        let near = async {
            let found = self.steps.take(SearchStep::Semantic, near).await;
            let found = found.ok()?;
            SearchStep::Semantic.count(found.total > 0);
            Some(found).filter(|found| found.total > 0)
        };
        if coverage == Some(Coverage::Full) {
            return match near.await {
                Some(found) => Ok(found),
                None => Ok(by_text.await?),
            };
        }
        let found = by_text.await;
        let is_found = found.as_ref().is_ok_and(|found| found.total > 0);
        if !is_found
            && coverage.is_some()
            && let Some(near) = near.await
        {
            return Ok(near);
        }
        Ok(found?)
    }

    /// Returns one page of semantic matches and reads only these. Deleted texts are removed from
    /// the index.
    async fn near_page(
        &self,
        semantic: &Semantic,
        near: Vec<Neighbour<MarketId>>,
        page: SearchPage,
    ) -> Result<Found<MarketDetails>, StoreError> {
        let total = near.len();
        let shown = page_of(scores(near), page);
        let ids: Vec<_> = shown.iter().map(|hit| hit.id).collect();
        let markets = self.markets.find_markets(&ids).await?;
        let is_there = |id: &MarketId| markets.iter().any(|market| market_id(market) == *id);
        let gone: Vec<_> =
            ids.iter().filter(|id| !is_there(id)).map(|id| (TextId::Market(*id), None)).collect();
        let total = i64::try_from(total - gone.len()).unwrap_or(i64::MAX);
        if !gone.is_empty() {
            semantic.index.put(gone).await?;
        }
        Ok(Found { hits: in_place(shown, markets, market_id), total, step: SearchStep::Semantic })
    }

    /// Returns the matches of the first step that finds any. If all steps failed, returns the last
    /// error.
    async fn first_found<I, F>(
        &self,
        mut look: impl FnMut(SearchMethod) -> F,
    ) -> Result<(SearchStep, Hits<I>), StoreError>
    where
        F: Future<Output = Result<Hits<I>, StoreError>>,
    {
        let mut last = Err(StoreError::Unavailable("no step of the search was taken".into()));
        for (step, method) in TEXT_STEPS {
            match self.steps.take(step, look(method)).await {
                Ok(hits) if hits.total > 0 => {
                    step.count(true);
                    return Ok((step, hits));
                }
                Ok(none) => {
                    step.count(false);
                    last = Ok((step, none));
                }
                Err(error) => last = last.or(Err(error)),
            }
        }
        last
    }
}

fn coverage(vector: Option<&(&Semantic, QueryVector)>) -> Option<Coverage> {
    vector.map(|(_, vector)| vector.coverage)
}

fn market_id(market: &MarketDetails) -> MarketId {
    market.market.id()
}

/// Returns a page of semantic matches that all pass the filter.
fn near_found<T>(all: Vec<(T, f64)>, page: SearchPage) -> Found<T> {
    let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let hits = page_of(all, page).into_iter().map(|(thing, score)| (Some(thing), score)).collect();
    Found { hits, total, step: SearchStep::Semantic }
}

fn page_of<T>(all: Vec<T>, page: SearchPage) -> Vec<T> {
    let passed = usize::try_from(page.offset).unwrap_or(usize::MAX);
    all.into_iter().skip(passed).take(page.limit as usize).collect()
}

fn scores<I>(near: Vec<Neighbour<I>>) -> Vec<Hit<I>> {
    near.into_iter().map(|near| Hit { id: near.id, score: near.similarity }).collect()
}

/// Returns the resources in the order of the matches. Deleted ones are left out.
fn join<I: Ord, T>(hits: Vec<Hit<I>>, things: Vec<T>, id_of: impl Fn(&T) -> I) -> Vec<(T, f64)> {
    let hits = in_place(hits, things, id_of).into_iter();
    hits.filter_map(|(thing, score)| Some((thing?, score))).collect()
}

/// Returns the resource of each match, or `None` if it was deleted or is unreadable: the next page
/// starts after the matches.
fn in_place<I: Ord, T>(
    hits: Vec<Hit<I>>,
    things: Vec<T>,
    id_of: impl Fn(&T) -> I,
) -> Vec<(Option<T>, f64)> {
    let mut things: BTreeMap<I, T> =
        things.into_iter().map(|thing| (id_of(&thing), thing)).collect();
    hits.into_iter().map(|hit| (things.remove(&hit.id), hit.score)).collect()
}
