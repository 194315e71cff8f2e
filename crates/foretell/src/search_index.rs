//! Background tasks that keep the search indexes of this node up to date.

use std::sync::Arc;
use std::time::{Duration, Instant};

use foretell_application::Application;
use foretell_ports::error::Chain;
use foretell_ports::vector::VectorCursor;

/// Pause between reads of the embeddings that other nodes have written.
const READ_PERIOD: Duration = Duration::from_millis(300);

/// Pause after a failure of storage.
const FAILURE_PAUSE: Duration = Duration::from_secs(2);

/// Pause between checks of the text index in this process.
const LOOK_PERIOD: Duration = Duration::from_secs(1);

/// Period of checks of the text index in storage: a node of an older version may have written
/// texts without indexing them.
const CHECK_PERIOD: Duration = Duration::from_mins(10);

/// Copies new embeddings from storage into the index, again and again.
pub(crate) async fn keep_embeddings_current(application: Arc<Application>) {
    if application.search.semantic().is_none() {
        return;
    }
    if let Err(error) = application.search.enqueue_embed_all().await {
        tracing::warn!(
            error = %Chain(&error),
            "scheduling embeddings of existing texts failed; semantic search may miss them"
        );
    }
    let mut cursor = VectorCursor::BEGIN;
    loop {
        match application.search.read_vectors(cursor).await {
            Ok(next) => {
                cursor = next;
                tokio::time::sleep(READ_PERIOD).await;
            }
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "reading stored embeddings failed");
                tokio::time::sleep(FAILURE_PAUSE).await;
            }
        }
    }
}

/// Indexes texts that are missing from the text index, again and again.
pub(crate) async fn keep_texts_indexed(application: Arc<Application>) {
    let mut checked: Option<Instant> = None;
    loop {
        if application.search.is_search_indexed()
            && checked.is_some_and(|at| at.elapsed() < CHECK_PERIOD)
        {
            tokio::time::sleep(LOOK_PERIOD).await;
            continue;
        }
        match application.search.index_texts().await {
            Ok(0) => {
                checked = Some(Instant::now());
                tokio::time::sleep(LOOK_PERIOD).await;
            }
            // Other tasks write in between.
            Ok(_) => tokio::task::yield_now().await,
            Err(error) => {
                tracing::warn!(
                    error = %Chain(&error),
                    "search index could not be completed; retrying"
                );
                tokio::time::sleep(FAILURE_PAUSE).await;
            }
        }
    }
}
