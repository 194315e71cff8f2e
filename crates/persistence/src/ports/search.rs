//! The port of searches.

use async_trait::async_trait;
use foretell_domain::id::{MarketId, PostId};
use foretell_domain::search::SearchQuery;
use foretell_ports::error::StoreError;
use foretell_ports::market::MarketFilter;
use foretell_ports::post::PostFilter;
use foretell_ports::search::{Hits, SearchMethod, SearchPage, TextSearch};

use crate::searches;
use crate::store::Store;

#[async_trait]
impl TextSearch for Store {
    fn capacity(&self) -> usize {
        self.search_connections()
    }

    async fn search_markets(
        &self,
        method: SearchMethod,
        query: &SearchQuery,
        filter: &MarketFilter,
        page: SearchPage,
    ) -> Result<Hits<MarketId>, StoreError> {
        let (query, filter) = (query.clone(), filter.clone());
        self.search("search_markets", move |c| searches::markets(c, method, &query, &filter, page)).await
    }

    async fn search_posts(
        &self,
        method: SearchMethod,
        query: &SearchQuery,
        filter: &PostFilter,
        page: SearchPage,
    ) -> Result<Hits<PostId>, StoreError> {
        let (query, filter) = (query.clone(), filter.clone());
        self.search("search_posts", move |c| searches::posts(c, method, &query, &filter, page)).await
    }
}
