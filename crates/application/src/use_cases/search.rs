//! Searches markets and posts: by whole words, and where those find nothing, or fail, by parts of words.

use std::future::Future;
use std::time::Duration;

use foretell_domain::id::{MarketId, PostId};
use foretell_domain::post::Post;
use foretell_domain::search::SearchQuery;
use foretell_ports::error::StoreError;
use foretell_ports::market::{MarketDetails, MarketFilter};
use foretell_ports::post::PostFilter;
use foretell_ports::search::{Hits, SearchMethod, SearchPage};

use super::authenticate::Caller;
use super::read_posts::visible;
use crate::Application;
use crate::error::AppError;

/// The steps, each of which is tried if those before it have found nothing, and how long it may take.
const STEPS: [(SearchMethod, Duration); 2] =
    [(SearchMethod::FullText, Duration::from_secs(1)), (SearchMethod::Substring, Duration::from_secs(3))];

/// What was found, and by which step.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<T> {
    /// The things with their scores, the best first.
    pub hits: Vec<(T, f64)>,
    /// How many there are on all pages.
    pub total: i64,
    /// The step that found them; the last one if none has.
    pub method: SearchMethod,
}

impl Application {
    /// The markets that a query finds.
    ///
    /// # Errors
    /// [`AppError::Store`] if no step could be taken.
    pub async fn search_markets(
        &self,
        query: &SearchQuery,
        filter: &MarketFilter,
        page: SearchPage,
    ) -> Result<Found<MarketDetails>, AppError> {
        let search = &self.ports.search;
        let (method, hits) = first_found(|method| search.search_markets(method, query, filter, page)).await?;
        let ids: Vec<MarketId> = hits.hits.iter().map(|hit| hit.id).collect();
        let markets = self.ports.markets.find_markets(&ids).await?;
        Ok(joined(method, hits, markets, |market| market.market.id()))
    }

    /// The posts that a query finds: published ones, or the caller's own drafts, of which nobody has any.
    ///
    /// # Errors
    /// [`AppError::Store`] if no step could be taken.
    pub async fn search_posts(
        &self,
        caller: Option<&Caller>,
        query: &SearchQuery,
        filter: &PostFilter,
        page: SearchPage,
    ) -> Result<Found<Post>, AppError> {
        let Some(filter) = visible(caller, filter) else {
            return Ok(Found { hits: Vec::new(), total: 0, method: SearchMethod::Substring });
        };
        let (search, filter) = (&self.ports.search, &filter);
        let (method, hits) = first_found(|method| search.search_posts(method, query, filter, page)).await?;
        let ids: Vec<PostId> = hits.hits.iter().map(|hit| hit.id).collect();
        let mut posts = self.ports.posts.find_posts(&ids).await?;
        // One may have become a draft since it was found.
        posts.retain(|post| post.body.status == filter.status);
        Ok(joined(method, hits, posts, |post| post.id))
    }
}

/// What the first step has found that has found anything. A step that fails or takes too long has found nothing; if none
/// could be taken, the last one's error tells why.
async fn first_found<I, F>(
    mut step: impl FnMut(SearchMethod) -> F,
) -> Result<(SearchMethod, Hits<I>), StoreError>
where
    F: Future<Output = Result<Hits<I>, StoreError>>,
{
    let mut last = Err(StoreError::Unavailable("no step of the search was taken".into()));
    for (method, budget) in STEPS {
        match tokio::time::timeout(budget, step(method)).await {
            Ok(Ok(hits)) if hits.total > 0 || !hits.hits.is_empty() => return Ok((method, hits)),
            Ok(Ok(none)) => last = Ok((method, none)),
            Ok(Err(error)) => {
                tracing::warn!(?method, %error, "a step of a search failed");
                last = last.or(Err(error));
            }
            Err(_) => {
                tracing::warn!(?method, "a step of a search took too long");
                last = last.or(Err(StoreError::Unavailable("a step of the search took too long".into())));
            }
        }
    }
    last
}

/// The things in the order of the hits. One that has gone since is left out.
fn joined<I: PartialEq, T>(
    method: SearchMethod,
    hits: Hits<I>,
    mut things: Vec<T>,
    id_of: impl Fn(&T) -> I,
) -> Found<T> {
    let Hits { hits, total } = hits;
    let found = hits.into_iter().filter_map(|hit| {
        let index = things.iter().position(|thing| id_of(thing) == hit.id)?;
        Some((things.swap_remove(index), hit.score))
    });
    Found { hits: found.collect(), total, method }
}
