//! Text searches: the ports, and their statements in the modules below.

pub(crate) mod parameters;
pub(crate) mod searches;

use std::sync::Arc;

use async_trait::async_trait;
use foretell_domain::id::{MarketId, PostId};
use foretell_domain::search::{SearchLanguage, SearchQuery};
use foretell_ports::error::StoreError;
use foretell_ports::market::MarketFilter;
use foretell_ports::post::PostFilter;
use foretell_ports::search::{Hits, SearchMethod, SearchPage, TextSearch};

use crate::search::searches::TextQuery;
use crate::store::Store;
use crate::text_index;

#[async_trait]
impl TextSearch for Store {
    fn capacity(&self) -> usize {
        self.search_connections()
    }

    fn language(&self) -> SearchLanguage {
        self.text_index().language
    }

    fn is_indexed(&self) -> bool {
        self.text_index().is_complete()
    }

    async fn index_texts(&self) -> Result<usize, StoreError> {
        let index = Arc::clone(self.text_index());
        let result = self.write("index_texts", move |c| text_index::complete(c, &index)).await;
        if result.is_err() {
            self.text_index().restart();
        }
        result
    }

    async fn clear_index(&self) -> Result<(), StoreError> {
        self.write("clear_index", text_index::clear).await
    }

    async fn search_markets(
        &self,
        method: SearchMethod,
        query: &SearchQuery,
        filter: &MarketFilter,
        page: SearchPage,
    ) -> Result<Hits<MarketId>, StoreError> {
        let (query, filter, language) = (query.clone(), filter.clone(), self.language());
        self.search("search_markets", move |c| {
            searches::markets(c, TextQuery { method, query: &query, language, page }, &filter)
        })
        .await
    }

    async fn search_posts(
        &self,
        method: SearchMethod,
        query: &SearchQuery,
        filter: &PostFilter,
        page: SearchPage,
    ) -> Result<Hits<PostId>, StoreError> {
        let (query, filter, language) = (query.clone(), filter.clone(), self.language());
        self.search("search_posts", move |c| {
            searches::posts(c, TextQuery { method, query: &query, language, page }, &filter)
        })
        .await
    }
}
