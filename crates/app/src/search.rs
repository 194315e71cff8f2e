//! `foretell search reindex`: recomputes all embeddings.

use std::process::ExitCode;

use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::say;
use crate::config::Settings;
use crate::wiring;

/// Recomputes all embeddings, and shows the progress.
pub(crate) async fn reindex(settings: &Settings) -> anyhow::Result<ExitCode> {
    let application = wiring::start(settings).await?;
    application.search.rebuild_text_index().await?;
    if application.search.semantic().is_none() {
        bail!("semantic search is disabled (search.model is \"none\")");
    }
    let bar = ProgressBar::new(application.search.count_texts().await?);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos} of {len} texts, {eta} left")?);
    let texts = application.search.embed_all(|done| bar.set_position(done)).await?;
    bar.finish_and_clear();
    say(format_args!("{texts} texts can be found by their meaning"));
    Ok(ExitCode::SUCCESS)
}
