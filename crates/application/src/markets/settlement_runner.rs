//! Pays the holders of large markets in the background, and resumes interrupted settlements.
//!
//! A settlement records its own progress, and a set is paid once whichever node pays it, so every
//! node may resume it at any time. It is not a job because jobs end as dead letters after their
//! last attempt.

use std::sync::Arc;
use std::time::Duration;

use foretell_ports::error::Chain;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Markets;

/// Interval of polling for unfinished settlements.
const SETTLE_PERIOD: Duration = Duration::from_secs(2);
/// Pause while there is more to pay: a large backlog leaves time for requests.
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// Pays large settlements and resumes interrupted ones.
pub struct SettlementRunner {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl SettlementRunner {
    /// Starts it; call it within a Tokio runtime.
    pub fn start(markets: Arc<Markets>) -> Self {
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            loop {
                let is_more = markets.sweep_settlements().await.unwrap_or_else(|error| {
                    tracing::warn!(
                        error = %Chain(&error),
                        "settlement: reading unsettled markets failed, retrying"
                    );
                    false
                });
                let pause = if is_more { BUSY_PAUSE } else { SETTLE_PERIOD };
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    _ = stopped.wait_for(|stopped| *stopped) => return,
                }
            }
        });
        Self { stop, task }
    }

    /// Finishes the current round and stops.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(error = %Chain(&error), "settlement runner failed");
        }
    }
}
