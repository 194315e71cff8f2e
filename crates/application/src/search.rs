//! Searches of markets and posts, and the embeddings and indexes behind them.

pub(crate) mod embed_texts;
pub(crate) mod search_permits;
pub(crate) mod search_steps;
pub(crate) mod search_texts;
pub(crate) mod semantic;

use std::sync::Arc;

use foretell_ports::market::MarketQueries;
use foretell_ports::post::PostQueries;
use foretell_ports::search::TextSearch;
use foretell_ports::vector::VectorQueries;

use crate::context::Context;
use crate::error::AppError;
use crate::ports::Ports;
use search_permits::{SearchPermit, SearchPermits};
use search_steps::SearchSteps;
use semantic::Semantic;

/// Searches of markets and posts.
pub struct Search {
    context: Arc<Context>,
    markets: Arc<dyn MarketQueries>,
    posts: Arc<dyn PostQueries>,
    texts: Arc<dyn TextSearch>,
    vectors: Arc<dyn VectorQueries>,
    semantic: Option<Semantic>,
    permits: SearchPermits,
    steps: SearchSteps,
}

impl Search {
    pub(crate) fn new(context: &Arc<Context>, ports: &Ports) -> Self {
        Self {
            context: Arc::clone(context),
            markets: Arc::clone(&ports.markets),
            posts: Arc::clone(&ports.posts),
            texts: Arc::clone(&ports.search),
            vectors: Arc::clone(&ports.vectors),
            semantic: ports.semantic.clone(),
            permits: SearchPermits::new(ports.search.capacity()),
            steps: SearchSteps::default(),
        }
    }

    /// Waits for a permit, first come, first served.
    ///
    /// # Errors
    /// [`AppError::Overloaded`] after a second.
    pub async fn admit_search(&self) -> Result<SearchPermit, AppError> {
        self.permits.admit().await
    }
}
