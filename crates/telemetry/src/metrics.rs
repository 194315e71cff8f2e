//! Metrics for Prometheus: names, units and descriptions of all metrics, and their values as text.

use std::fs;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use thiserror::Error;

/// Upper bounds of duration buckets, in seconds.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds of batch size buckets.
const SIZES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// A kibibyte, the unit of memory in `/proc`.
const KIB: f64 = 1_024.0;

/// The metrics recorder could not be installed.
#[derive(Debug, Error)]
#[error("metrics cannot be set up: {0}")]
pub struct MetricsError(#[from] BuildError);

/// Recorder of all metrics.
#[derive(Debug, Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Installs the recorder of this process.
    ///
    /// # Errors
    /// [`MetricsError`], if it was called before.
    pub fn install(version: &'static str) -> Result<Self, MetricsError> {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
            .set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), &SIZES)?;
        let metrics = Self(builder.install_recorder()?);
        describe();
        gauge!("foretell_build_info", "version" => version).set(1.0);
        begin_at_zero();
        Ok(metrics)
    }

    /// Returns all metrics in the Prometheus text format.
    pub fn render(&self) -> String {
        measure_process();
        self.0.render()
    }

    /// Aggregates recorded values; call it every few seconds, or memory grows.
    pub fn tidy(&self) {
        self.0.run_upkeep();
    }
}

fn describe() {
    describe_gauge!("foretell_build_info", "1, with the version of the program.");
    describe_counter!(
        "foretell_http_requests_total",
        "Requests answered, by method, route and status."
    );
    describe_histogram!(
        "foretell_http_request_duration_seconds",
        Unit::Seconds,
        "Time from the request's headers to the response's."
    );
    describe_gauge!("foretell_http_requests_in_flight", "Requests in progress.");
    describe_gauge!("foretell_writer_queue_length", "Commands that wait for the money writer.");
    describe_histogram!(
        "foretell_writer_batch_size",
        "Commands in a unit of work of the money writer."
    );
    describe_histogram!(
        "foretell_writer_batch_duration_seconds",
        Unit::Seconds,
        "Time from the start of such a unit to its commit."
    );
    describe_counter!(
        "foretell_writer_refused_total",
        "Commands rejected because the queue was too long, by reason."
    );
    describe_counter!("foretell_database_reads_total", "Queries, by result.");
    describe_gauge!(
        "foretell_job_lane_up",
        "1 if the workers of a lane make progress with due jobs, otherwise 0."
    );
    describe_counter!(
        "foretell_unreadable_rows_total",
        "Stored rows left out of lists because they are unreadable, by table."
    );
    describe_histogram!(
        "foretell_database_read_wait_seconds",
        Unit::Seconds,
        "Time that queries waited for a connection."
    );
    describe_histogram!(
        "foretell_database_read_duration_seconds",
        Unit::Seconds,
        "Execution time of queries."
    );
    describe_counter!(
        "foretell_database_reads_cancelled_total",
        "Queries cancelled because the client had disconnected."
    );
    describe_counter!(
        "foretell_searches_refused_total",
        "Searches rejected because too many were running."
    );
    describe_gauge!("foretell_database_reads_in_flight", "Queries in progress.");
    describe_counter!("foretell_database_units_total", "Units of work, by name and result.");
    describe_histogram!(
        "foretell_database_unit_duration_seconds",
        Unit::Seconds,
        "Duration of units of work, with all attempts."
    );
    describe_counter!("foretell_market_pages_total", "Reads of single markets, by source.");
    describe_counter!("foretell_jobs_run_total", "Attempts at jobs, by kind and result.");
    describe_gauge!("foretell_jobs", "Jobs that are not done, by kind and state.");
    describe_counter!("foretell_search_steps_total", "Steps of searches, by step and result.");
    describe_gauge!("foretell_search_texts", "Texts in the index of the semantic search.");
    describe_gauge!(
        "foretell_ledger_imbalance",
        "Sum of all balances in minor units; anything but 0 is an error."
    );
    describe_gauge!("foretell_cache_degraded", "1 while Redis does not respond.");
    describe_gauge!(
        "foretell_process_resident_memory_bytes",
        Unit::Bytes,
        "Resident memory of the process."
    );
    describe_gauge!("foretell_process_open_fds", "Open files and connections of the process.");
}

/// Initializes counters with 0, so that "never happened" differs from "unknown".
fn begin_at_zero() {
    for reason in ["queue_full", "too_many", "too_late"] {
        counter!("foretell_writer_refused_total", "reason" => reason).increment(0);
    }
    for step in ["semantic", "fulltext", "substring"] {
        for result in ["found", "nothing", "failed", "too_slow", "left_out"] {
            counter!("foretell_search_steps_total", "step" => step, "result" => result)
                .increment(0);
        }
    }
    for table in [
        "accounts",
        "api_keys",
        "bets",
        "comments",
        "jobs",
        "known_networks",
        "market_options",
        "market_states",
        "markets",
        "positions",
        "posts",
        "sessions",
        "settlements",
        "transfers",
        "users",
        "webhooks",
    ] {
        counter!("foretell_unreadable_rows_total", "table" => table).increment(0);
    }
    for source in ["memory", "shared_or_read"] {
        counter!("foretell_market_pages_total", "source" => source).increment(0);
    }
}

fn measure_process() {
    let field = |name: &str| {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    };
    if let Some(kib) = field("VmRSS") {
        gauge!("foretell_process_resident_memory_bytes").set(kib * KIB);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        #[allow(clippy::cast_precision_loss, reason = "a process has fewer than 2^53 files")]
        gauge!("foretell_process_open_fds").set(open.count() as f64);
    }
}
