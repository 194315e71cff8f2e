//! Keeps the index of what texts mean in step with storage, and `foretell search reindex`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use foretell_application::Application;
use foretell_ports::error::Chain;
use foretell_ports::vector::VectorPlace;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::say;
use crate::config::Settings;
use crate::wiring;

/// How soon what another node has written is found here.
const EACH: Duration = Duration::from_millis(300);
/// How long to wait where storage does not answer.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Reads what texts mean into the index, again and again.
pub(crate) async fn keep_in_step(application: Arc<Application>) {
    if application.semantic().is_none() {
        return;
    }
    if let Err(error) = application.want_embeddings().await {
        tracing::warn!(
            error = %Chain(&error),
            "the texts that are there already may not be found by their meaning"
        );
    }
    let mut place = VectorPlace::BEGIN;
    loop {
        match application.read_vectors(place).await {
            Ok(next) => {
                place = next;
                tokio::time::sleep(EACH).await;
            }
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "what texts mean could not be read");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }
}

/// How often the index of texts is looked at, and how often storage is asked whether it is complete: a node of an older
/// version may have written texts without indexing them.
const LOOK: Duration = Duration::from_secs(1);
const CHECK: Duration = Duration::from_mins(10);

/// Keeps the index of texts complete.
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
            // Others write in between.
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

/// Works out anew what all texts mean, and shows how far it is.
pub(crate) async fn reindex(settings: &Settings) -> anyhow::Result<ExitCode> {
    let application = wiring::start(settings).await?;
    application.rebuild_text_index().await?;
    if application.semantic().is_none() {
        bail!("there is no model to do it with (search.model is \"none\")");
    }
    let bar = ProgressBar::new(application.count_texts().await?);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos} of {len} texts, {eta} left")?);
    let texts = application.embed_all(|done| bar.set_position(done)).await?;
    bar.finish_and_clear();
    say(format_args!("{texts} texts can be found by their meaning"));
    Ok(ExitCode::SUCCESS)
}
