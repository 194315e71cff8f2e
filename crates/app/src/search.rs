//! Keeps the vector index in step with storage, and implements `foretell search reindex`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use foretell_application::Application;
use foretell_ports::error::Chain;
use foretell_ports::vector::VectorCursor;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::say;
use crate::config::Settings;
use crate::wiring;

/// Interval of polling for embeddings written by other nodes.
const EACH: Duration = Duration::from_millis(300);
/// Pause after a failure of storage.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Reads stored embeddings into the index periodically.
pub(crate) async fn keep_in_step(application: Arc<Application>) {
    if application.semantic().is_none() {
        return;
    }
    if let Err(error) = application.enqueue_embed_all().await {
        tracing::warn!(
            error = %Chain(&error),
            "scheduling embeddings of existing texts failed; semantic search may miss them"
        );
    }
    let mut cursor = VectorCursor::BEGIN;
    loop {
        match application.read_vectors(cursor).await {
            Ok(next) => {
                cursor = next;
                tokio::time::sleep(EACH).await;
            }
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "reading stored embeddings failed");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }
}

/// Interval of checking the text index, and of asking storage if it is complete: a node of an older
/// version may have written texts without indexing them.
const LOOK: Duration = Duration::from_secs(1);
const CHECK: Duration = Duration::from_mins(10);

/// Keeps the text index complete.
pub(crate) async fn keep_indexed(application: Arc<Application>) {
    let mut checked: Option<Instant> = None;
    loop {
        if application.is_search_indexed() && checked.is_some_and(|at| at.elapsed() < CHECK) {
            tokio::time::sleep(LOOK).await;
            continue;
        }
        match application.index_texts().await {
            Ok(0) => {
                checked = Some(Instant::now());
                tokio::time::sleep(LOOK).await;
            }
            // Lets other writers in between.
            Ok(_) => tokio::task::yield_now().await,
            Err(error) => {
                tracing::warn!(
                    error = %Chain(&error),
                    "search index could not be completed; retrying"
                );
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }
}

/// Recomputes all embeddings, and shows the progress.
pub(crate) async fn reindex(settings: &Settings) -> anyhow::Result<ExitCode> {
    let application = wiring::start(settings).await?;
    application.rebuild_text_index().await?;
    if application.semantic().is_none() {
        bail!("semantic search is disabled (search.model is \"none\")");
    }
    let bar = ProgressBar::new(application.count_texts().await?);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos} of {len} texts, {eta} left")?);
    let texts = application.embed_all(|done| bar.set_position(done)).await?;
    bar.finish_and_clear();
    say(format_args!("{texts} texts can be found by their meaning"));
    Ok(ExitCode::SUCCESS)
}
