//! Runs jobs and settles markets: beside the server, or alone.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use foretell_application::{Application, Housekeeper};
use foretell_jobs::{LaneHealth, Worker};

use crate::config::Settings;
use crate::signals::{Signals, survive_hangup};
use crate::wiring;

/// Runs jobs until the process is asked to end; asked once more, it ends at once.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    survive_hangup().context("cannot listen for signals")?;
    let mut signals = Signals::listen().context("signals cannot be listened to")?;
    let application = wiring::start(settings).await?;
    let staff = Staff::start(&application, settings);
    tracing::info!(database = %settings.database.url, "running jobs");
    signals.next().await;
    tokio::spawn(async move {
        signals.next().await;
        tracing::warn!("asked to stop once more: ending at once");
        std::process::exit(1);
    });
    staff.stop(settings.server.shutdown_timeout).await;
    application.drain().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Those who work in the background.
pub(crate) struct Staff {
    housekeeper: Housekeeper,
    worker: Worker,
}

impl Staff {
    /// They begin at once.
    pub(crate) fn start(application: &Arc<Application>, settings: &Settings) -> Self {
        let housekeeper = Housekeeper::start(Arc::clone(application));
        Self { housekeeper, worker: Worker::start(application, settings.jobs) }
    }

    /// A function that tells of each lane whether it gets on with the jobs that are due.
    pub(crate) fn lane_health(&self) -> Arc<foretell_web::LaneHealth> {
        let health = self.worker.health();
        Arc::new(move || health().into_iter().map(|LaneHealth { lane, is_ok }| (lane, is_ok)).collect())
    }

    /// They finish what they have begun, but no longer than this.
    pub(crate) async fn stop(self, patience: Duration) {
        self.worker.stop(patience).await;
        self.housekeeper.stop().await;
    }
}
