//! Background work: jobs and settlements, in the server or alone.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use foretell_application::{Application, SettlementRunner};
use foretell_jobs::{LaneHealth, Worker};

use crate::config::Settings;
use crate::signals::{Signals, survive_hangup};
use crate::wiring;

/// Runs jobs until the process is asked to stop; a second signal stops it immediately.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    survive_hangup().context("cannot listen for signals")?;
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let application = wiring::start(settings).await?;
    let workers = Workers::start(&application, settings);
    tracing::info!(database = %settings.database.url, "running jobs");
    signals.next().await;
    tokio::spawn(async move {
        signals.next().await;
        tracing::warn!("second stop signal: stopping immediately");
        std::process::exit(1);
    });
    workers.stop(settings.server.shutdown_timeout).await;
    application.drain().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Background tasks of a process.
pub(crate) struct Workers {
    settlement_runner: SettlementRunner,
    worker: Worker,
}

impl Workers {
    /// Starts the tasks.
    pub(crate) fn start(application: &Arc<Application>, settings: &Settings) -> Self {
        let settlement_runner = SettlementRunner::start(Arc::clone(application));
        Self { settlement_runner, worker: Worker::start(application, settings.jobs) }
    }

    /// Returns a function that reports the health of each lane of jobs.
    pub(crate) fn lane_health(&self) -> Arc<foretell_web::LaneHealth> {
        let health = self.worker.health();
        Arc::new(move || health().into_iter().map(|LaneHealth { lane, is_ok }| (lane, is_ok)).collect())
    }

    /// Stops the tasks, and waits at most this long for running work.
    pub(crate) async fn stop(self, grace_period: Duration) {
        self.worker.stop(grace_period).await;
        self.settlement_runner.stop().await;
    }
}
