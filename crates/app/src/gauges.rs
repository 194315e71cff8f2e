//! Periodic gauges: the number of waiting jobs, and the balance of the ledger.

use std::sync::Arc;
use std::time::Duration;

use foretell_application::Application;
use foretell_domain::job::{JobKind, JobState};
use foretell_ports::cache::CacheMode;
use foretell_ports::error::Chain;
use foretell_telemetry::Metrics;
use foretell_web::LaneHealth;
use metrics::gauge;

/// Interval of measurements.
const PERIOD: Duration = Duration::from_secs(5);
/// Number of measurements per ledger sum, which reads every account.
const LEDGER_PERIODS: u32 = 12;

/// Updates the gauges periodically.
pub(crate) async fn update_periodically(
    application: Arc<Application>,
    metrics: Metrics,
    lane_health: Option<Arc<LaneHealth>>,
) {
    for round in 0_u32.. {
        for (lane, is_ok) in lane_health.as_ref().map(|health| health()).unwrap_or_default() {
            gauge!("foretell_job_lane_up", "lane" => lane.as_str()).set(if is_ok {
                1.0
            } else {
                0.0
            });
        }
        if let Err(error) = update(&application, round.is_multiple_of(LEDGER_PERIODS)).await {
            tracing::warn!(
                error = %Chain(&error),
                "reading the periodic gauges from the database failed"
            );
        }
        metrics.tidy();
        tokio::time::sleep(PERIOD).await;
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
async fn update(
    application: &Application,
    sums_ledger: bool,
) -> Result<(), foretell_ports::error::StoreError> {
    let is_degraded = application.operations.cache_mode() == CacheMode::Degraded;
    gauge!("foretell_cache_degraded").set(if is_degraded { 1.0 } else { 0.0 });
    if let Some(semantic) = application.search.semantic() {
        gauge!("foretell_search_texts").set(semantic.texts().await.unwrap_or(0) as f64);
    }
    let counts = application.queries.jobs.count_unfinished_jobs().await?;
    for kind in JobKind::ALL.map(Some).into_iter().chain([None]) {
        for state in JobState::ALL.into_iter().filter(|state| *state != JobState::Done) {
            let found = counts.iter().find(|count| count.kind == kind && count.state == state);
            let name = kind.map_or("unknown", JobKind::as_str);
            gauge!("foretell_jobs", "kind" => name, "state" => state.as_str())
                .set(found.map_or(0, |found| found.count) as f64);
        }
    }
    if sums_ledger {
        gauge!("foretell_ledger_imbalance")
            .set(application.queries.ledger.sum_balances().await? as f64);
    }
    Ok(())
}
