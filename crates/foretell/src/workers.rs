//! Background work: jobs and settlements.

use std::sync::Arc;
use std::time::Duration;

use foretell_application::{Application, SettlementRunner};
use foretell_jobs::{LaneHealth, Worker, WorkerSettings};

/// Background tasks that run jobs and pay settlements.
pub struct Workers {
    settlements: SettlementRunner,
    worker: Worker,
}

impl Workers {
    pub(crate) fn start(application: &Arc<Application>, settings: WorkerSettings) -> Self {
        let settlements = SettlementRunner::start(Arc::clone(&application.markets));
        Self { settlements, worker: Worker::start(application, settings) }
    }

    /// Returns a function that tells for each lane whether it makes progress with due jobs.
    pub fn lane_health(&self) -> Arc<foretell_web::LaneHealth> {
        let health = self.worker.health();
        Arc::new(move || {
            health().into_iter().map(|LaneHealth { lane, is_ok }| (lane, is_ok)).collect()
        })
    }

    /// Takes no more jobs and waits for running ones, up to this timeout; the others are left to
    /// other nodes.
    pub async fn stop(self, timeout: Duration) {
        self.worker.stop(timeout).await;
        self.settlements.stop().await;
    }
}
