//! Background work: jobs and settlements, in the server or alone.

use std::process::ExitCode;

use anyhow::Context as _;

use crate::config::Settings;
use crate::signals::{Signals, survive_hangup};
use crate::wiring;

/// Runs jobs until the process is asked to stop; a second signal stops it immediately.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    survive_hangup().context("cannot listen for signals")?;
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let foretell = wiring::build(settings).await?;
    let workers = foretell.start_workers(settings.jobs);
    tracing::info!(database = %settings.database.url, "running jobs");
    signals.next().await;
    tokio::spawn(async move {
        signals.next().await;
        tracing::warn!("second stop signal: stopping immediately");
        std::process::exit(1);
    });
    workers.stop(settings.server.shutdown_timeout).await;
    foretell.application().operations.drain().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}
