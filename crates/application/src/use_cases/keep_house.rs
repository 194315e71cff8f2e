//! Keeps house in the background: settles what is unsettled and forgets what is outdated.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::Application;

/// How often to look for settlements that nobody drives.
const SETTLE_PERIOD: Duration = Duration::from_secs(2);
/// How often to forget outdated outcomes.
const PURGE_PERIOD: Duration = Duration::from_mins(10);

/// Settles large markets and what a crash interrupted, and purges outdated outcomes.
pub struct Housekeeper {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Housekeeper {
    /// Begins at once; call it within a Tokio runtime.
    pub fn start(application: Arc<Application>) -> Self {
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            let mut next_purge = Instant::now();
            loop {
                if let Err(error) = application.sweep_settlements().await {
                    tracing::warn!(%error, "unsettled markets could not be looked up");
                }
                if Instant::now() >= next_purge {
                    next_purge = Instant::now() + PURGE_PERIOD;
                    purge(&application).await;
                }
                tokio::select! {
                    () = tokio::time::sleep(SETTLE_PERIOD) => {}
                    _ = stopped.wait_for(|stopped| *stopped) => return,
                }
            }
        });
        Self { stop, task }
    }

    /// Finishes the round that is under way and stops.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the housekeeper failed");
        }
    }
}

async fn purge(application: &Application) {
    match application.purge_outcomes().await {
        Ok(0) => {}
        Ok(outcomes) => tracing::info!(outcomes, "forgot outdated outcomes of commands"),
        Err(error) => tracing::warn!(%error, "outdated outcomes could not be deleted"),
    }
}
