//! What is measured, for Prometheus: names, units and help of all metrics, and their values as text.

use std::fs;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use thiserror::Error;

/// The upper ends of the buckets of durations, in seconds.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Those of sizes of batches.
const SIZES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// A kibibyte, as `/proc` counts memory.
const KIB: f64 = 1_024.0;

/// Why nothing is measured.
#[derive(Debug, Error)]
#[error("metrics cannot be set up: {0}")]
pub struct MetricsError(#[from] BuildError);

/// All that was measured.
#[derive(Debug, Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// From now on everything in this process is measured.
    ///
    /// # Errors
    /// [`MetricsError`], if that was called before.
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

    /// Everything as Prometheus reads it.
    pub fn render(&self) -> String {
        measure_process();
        self.0.render()
    }

    /// Adds up what was measured since it was last called or rendered; call it every few seconds, or memory grows.
    pub fn tidy(&self) {
        self.0.run_upkeep();
    }
}

fn describe() {
    describe_gauge!("foretell_build_info", "1, with the version of the program.");
    describe_counter!("foretell_http_requests_total", "Requests answered, by method, route and status.");
    describe_histogram!(
        "foretell_http_request_duration_seconds",
        Unit::Seconds,
        "From the request's head to its answer's."
    );
    describe_gauge!("foretell_http_requests_in_flight", "Requests that are being answered.");
    describe_gauge!("foretell_writer_queue_length", "Commands that wait for the money writer.");
    describe_histogram!("foretell_writer_batch_size", "Commands in a unit of work of the money writer.");
    describe_histogram!(
        "foretell_writer_batch_duration_seconds",
        Unit::Seconds,
        "From the begin of such a unit to its commit."
    );
    describe_counter!(
        "foretell_writer_refused_total",
        "Commands turned away since too much waited, by reason."
    );
    describe_counter!("foretell_database_reads_total", "Queries, by result.");
    describe_gauge!(
        "foretell_job_lane_up",
        "Whether a lane of jobs gets on with the jobs that are due: 1 or 0."
    );
    describe_counter!(
        "foretell_unreadable_rows_total",
        "Stored rows left out of lists since they cannot be read, by table."
    );
    describe_histogram!(
        "foretell_database_read_wait_seconds",
        Unit::Seconds,
        "How long queries waited for a connection."
    );
    describe_histogram!(
        "foretell_database_read_duration_seconds",
        Unit::Seconds,
        "How long queries took after that."
    );
    describe_counter!(
        "foretell_database_reads_cancelled_total",
        "Queries cancelled since their callers were gone."
    );
    describe_counter!("foretell_searches_refused_total", "Searches refused since too many were running.");
    describe_gauge!("foretell_database_reads_in_flight", "Queries that are being answered.");
    describe_counter!("foretell_database_units_total", "Units of work, by name and result.");
    describe_histogram!(
        "foretell_database_unit_duration_seconds",
        Unit::Seconds,
        "How long units of work took, with all attempts."
    );
    describe_counter!("foretell_market_pages_total", "Reads of single markets, by where they were found.");
    describe_counter!("foretell_jobs_run_total", "Attempts at jobs, by kind and result.");
    describe_gauge!("foretell_jobs", "Jobs that are not done, by kind and state.");
    describe_counter!("foretell_search_steps_total", "Steps of searches, by step and result.");
    describe_gauge!("foretell_search_texts", "Texts that can be found by their meaning.");
    describe_gauge!(
        "foretell_ledger_imbalance",
        "The sum of all balances in minor units; anything but 0 is a fault."
    );
    describe_gauge!("foretell_cache_degraded", "1 while Redis does not answer.");
    describe_gauge!("foretell_process_resident_memory_bytes", Unit::Bytes, "Memory that the process holds.");
    describe_gauge!("foretell_process_open_fds", "Files and connections that the process has open.");
}

/// What has not happened is known to have happened no times.
fn begin_at_zero() {
    for reason in ["queue_full", "too_many", "too_late"] {
        counter!("foretell_writer_refused_total", "reason" => reason).increment(0);
    }
    for step in ["semantic", "fulltext", "substring"] {
        for result in ["found", "nothing", "failed", "too_slow", "left_out"] {
            counter!("foretell_search_steps_total", "step" => step, "result" => result).increment(0);
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
