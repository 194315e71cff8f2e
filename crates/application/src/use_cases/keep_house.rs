//! Keeps house in the background: pays the holders of large markets, and of those that a crash interrupted.
//!
//! A settlement is its own job: it says how far it has come, and a set is paid once whoever pays it, so every node may
//! go on with it at any time. That is why settlements are not among the jobs, which are given up in the end.

use std::sync::Arc;
use std::time::Duration;

use foretell_ports::error::Chain;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::Application;

/// How often to look for settlements that nobody drives.
const SETTLE_PERIOD: Duration = Duration::from_secs(2);
/// The pause while there is more to do: a large backlog leaves room for requests.
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// Settles large markets and what a crash interrupted.
pub struct Housekeeper {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Housekeeper {
    /// Begins at once; call it within a Tokio runtime.
    pub fn start(application: Arc<Application>) -> Self {
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            loop {
                let is_more = application.sweep_settlements().await.unwrap_or_else(|error| {
                    tracing::warn!(error = %Chain(&error), "unsettled markets could not be looked up");
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

    /// Finishes the round that is under way and stops.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(error = %Chain(&error), "the housekeeper failed");
        }
    }
}
