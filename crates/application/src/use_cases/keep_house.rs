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
/// The pause while there is more to do: a large backlog leaves room for requests.
const BUSY_PAUSE: Duration = Duration::from_millis(20);

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
            let mut rounds = Rounds { application, next_purge: Instant::now(), purged: 0 };
            loop {
                let is_more = rounds.go_round().await;
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
            tracing::error!(%error, "the housekeeper failed");
        }
    }
}

struct Rounds {
    application: Arc<Application>,
    next_purge: Instant,
    /// How many outcomes were forgotten since there were none left.
    purged: u64,
}

impl Rounds {
    /// Does a little of everything that is due and says whether more of it is.
    async fn go_round(&mut self) -> bool {
        let is_unsettled = self.application.sweep_settlements().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "unsettled markets could not be looked up");
            false
        });
        let is_outdated = Instant::now() >= self.next_purge && self.purge().await;
        is_unsettled || is_outdated
    }

    async fn purge(&mut self) -> bool {
        match self.application.purge_outcomes().await {
            Ok(purged) => {
                self.purged += purged.outcomes;
                if purged.is_partial {
                    return true;
                }
                if self.purged > 0 {
                    tracing::info!(outcomes = self.purged, "forgot outdated outcomes of commands");
                }
                self.purged = 0;
            }
            Err(error) => tracing::warn!(%error, "outdated outcomes could not be deleted"),
        }
        self.next_purge = Instant::now() + PURGE_PERIOD;
        false
    }
}
