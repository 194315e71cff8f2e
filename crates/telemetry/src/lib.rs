//! Logs (JSON or pretty, filtered, written to standard error), metrics, and optionally traces for
//! an OpenTelemetry collector (the feature `opentelemetry`) and errors for Sentry (the feature
//! `sentry`); depends on nothing else of this project.
//!
//! A span is left out together with its fields when the filter excludes its level, so the span with
//! the request id must have the level `error` to appear in every line.

mod filter;
mod malformed;
mod metrics;
#[cfg(all(test, any(feature = "opentelemetry", feature = "sentry")))]
mod received;
mod remote;
#[cfg(feature = "sentry")]
mod reports;
#[cfg(any(feature = "opentelemetry", feature = "sentry"))]
mod scrub;
#[cfg(feature = "opentelemetry")]
mod traces;

use std::io;

use malformed::Demoted;
use thiserror::Error;
use tracing::subscriber::SetGlobalDefaultError;
use tracing::{Span, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

pub use filter::{FilterError, check_filter};
pub use metrics::{Metrics, MetricsError};
pub use remote::{Dsn, Endpoint, Headers, RemoteError, ReportSettings, TraceSettings};

/// Settings of logs, traces and error reports.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Log settings.
    pub log: LogSettings,
    /// Trace settings, if traces are sent.
    pub traces: Option<TraceSettings>,
    /// Error report settings, if errors are sent.
    pub reports: Option<ReportSettings>,
}

/// Format of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One line of text, the fields of the spans at its end.
    Pretty,
    /// One JSON object: the fields of the event at the top level, those of the spans in `spans`,
    /// the outermost first.
    Json,
}

/// Log settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// Format of a line.
    pub format: LogFormat,
    /// Filter: a level, or levels by target, as [`check_filter`] allows.
    pub filter: String,
    /// `true` if pretty lines are coloured.
    pub color: bool,
}

/// Reason why logging could not start.
#[derive(Debug, Error)]
pub enum InitError {
    /// The filter is not valid.
    #[error("the log filter is not valid")]
    Filter(#[from] FilterError),
    /// The trace exporter rejects its settings.
    #[cfg(feature = "opentelemetry")]
    #[error("traces cannot be sent")]
    Traces(#[from] opentelemetry_otlp::ExporterBuildError),
    /// A logger is already installed in this process.
    #[error("logging is already initialized")]
    AlreadyBegun(#[from] SetGlobalDefaultError),
}

/// Guard of the exporters; dropping it sends the remaining traces and errors, which takes up to a
/// second for each.
#[must_use = "nothing is sent any more once it is dropped"]
#[derive(Default)]
pub struct Telemetry {
    #[cfg(feature = "opentelemetry")]
    traces: Option<traces::Traces>,
    #[cfg(feature = "sentry")]
    reports: Option<reports::Reports>,
}

/// Starts logging to standard error, and sending traces and errors of this version of the program.
/// Call it once in a process and before it has other threads. Lines that cannot be written are
/// lost, and so are traces and errors that the receiver does not take; nothing waits for them.
///
/// # Errors
/// [`InitError::Filter`], [`InitError::AlreadyBegun`], and `InitError::Traces`.
pub fn init(settings: &Settings, version: &str) -> Result<Telemetry, InitError> {
    let telemetry = Telemetry::begin(settings, version)?;
    tracing::subscriber::set_global_default(telemetry.subscriber(&settings.log, io::stderr)?)?;
    Ok(telemetry)
}

/// Adds a span to the trace of a `traceparent` header (W3C Trace Context); without effect on a span
/// that is not traced, or already has children.
pub fn join_trace(span: &Span, traceparent: &str) {
    #[cfg(feature = "opentelemetry")]
    traces::join(span, traceparent);
    #[cfg(not(feature = "opentelemetry"))]
    let _ = (span, traceparent);
}

impl Telemetry {
    #[cfg_attr(
        not(feature = "opentelemetry"),
        allow(
            unused_variables,
            clippy::unnecessary_wraps,
            reason = "it takes less to begin with less"
        )
    )]
    fn begin(settings: &Settings, version: &str) -> Result<Self, InitError> {
        Ok(Self {
            #[cfg(feature = "opentelemetry")]
            traces: settings
                .traces
                .as_ref()
                .map(|traces| traces::Traces::begin(traces, version))
                .transpose()?,
            #[cfg(feature = "sentry")]
            reports: settings
                .reports
                .as_ref()
                .map(|reports| reports::Reports::begin(reports, version)),
        })
    }

    fn subscriber<W>(
        &self,
        log: &LogSettings,
        writer: W,
    ) -> Result<Box<dyn Subscriber + Send + Sync>, FilterError>
    where
        W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
    {
        let filter = filter::parse(&log.filter)?;
        let senders = self.senders();
        if senders.is_empty() {
            // A global filter makes disabled events cheaper, if no other layer needs them.
            return Ok(Box::new(
                tracing_subscriber::registry().with(filter).with(lines(log, writer)),
            ));
        }
        let lines = lines(log, writer).with_filter(filter).boxed();
        Ok(Box::new(tracing_subscriber::registry().with(senders).with(lines)))
    }

    /// Guards of the exporters.
    #[cfg_attr(
        not(any(feature = "opentelemetry", feature = "sentry")),
        allow(clippy::unused_self, reason = "nothing is kept")
    )]
    fn senders(&self) -> Vec<Box<dyn Layer<Registry> + Send + Sync>> {
        let senders: [Option<Box<dyn Layer<Registry> + Send + Sync>>; _] = [
            #[cfg(feature = "opentelemetry")]
            self.traces.as_ref().map(|traces| traces.layer().boxed()),
            #[cfg(feature = "sentry")]
            self.reports.as_ref().map(|_| reports::layer().boxed()),
        ];
        senders.into_iter().flatten().collect()
    }
}

/// Returns the layer that writes lines.
fn lines<S, W>(log: &LogSettings, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // The layer would report a broken standard error to standard error, and panic.
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).log_internal_errors(false);
    match log.format {
        LogFormat::Pretty => lines.compact().with_ansi(log.color).map_event_format(Demoted).boxed(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .map_event_format(Demoted)
            .boxed(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Buffer for lines in place of standard error.
    #[derive(Debug, Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, filter: &str, color: bool, log: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let settings = LogSettings { format, filter: filter.to_owned(), color };
        let subscriber =
            Telemetry::default().subscriber(&settings, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, log);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn request() {
        let _request = tracing::error_span!("web.place_bet", request_id = "r-17").entered();
        let _inner = tracing::info_span!("app.place_bet", market_id = 4).entered();
        tracing::warn!(account_id = "a-9", "account is \"low\"\non funds");
    }

    fn check_contains(text: &str, parts: &[&str]) {
        for part in parts {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    #[test]
    fn json_line_has_event_and_span_fields() {
        let line = logged(LogFormat::Json, "info", false, request);
        assert_eq!(line.lines().count(), 1, "{line}");
        check_contains(
            &line,
            &[
                r#"{"timestamp":"2"#,
                r#""level":"WARN","message":"account is \"low\"\non funds","account_id":"a-9","target":"foretell"#,
                r#""spans":[{"request_id":"r-17","name":"web.place_bet"},{"market_id":4,"name":"app.place_bet"}]}"#,
            ],
        );
    }

    #[test]
    fn request_id_is_logged_at_level_error() {
        for format in [LogFormat::Json, LogFormat::Pretty] {
            let line = logged(format, "error", false, || {
                let _request = tracing::error_span!("web.place_bet", request_id = "r-17").entered();
                tracing::error!("the ledger is out of balance");
            });
            check_contains(&line, &["r-17"]);
        }
    }

    #[test]
    fn json_line_has_fields_recorded_later() {
        let line = logged(LogFormat::Json, "info", true, || {
            let span = tracing::error_span!(
                "web.place_bet",
                request_id = "r-17",
                user_id = tracing::field::Empty
            );
            span.record("user_id", "u-3");
            span.in_scope(|| tracing::info!("placed"));
        });
        check_contains(&line, &[r#""request_id":"r-17""#, r#""user_id":"u-3""#]);
        assert!(!line.contains('\u{1b}'), "{line:?}");
    }

    #[test]
    fn pretty_line_is_text_with_optional_colour() {
        let plain = logged(LogFormat::Pretty, "info", false, request);
        check_contains(
            &plain,
            &["WARN", "account_id=\"a-9\"", "request_id=\"r-17\"", "market_id=4"],
        );
        assert!(!plain.contains('\u{1b}'), "{plain:?}");
        assert!(logged(LogFormat::Pretty, "info", true, request).contains("\u{1b}["));
    }

    #[test]
    fn filter_excludes_events_below_its_level() {
        assert_eq!(logged(LogFormat::Json, "error", false, request), "");
        assert_eq!(logged(LogFormat::Json, "info,foretell_telemetry=off", false, request), "");
        assert_ne!(logged(LogFormat::Json, "error,foretell_telemetry=debug", false, request), "");
    }

    #[test]
    fn malformed_requests_are_logged_at_debug() {
        let malformed = || {
            tracing::error!(
                target: "actix_http::h1::dispatcher",
                "stream error: ERROR"
            );
        };
        for format in [LogFormat::Json, LogFormat::Pretty] {
            assert_eq!(logged(format, "info,actix_server=warn", false, malformed), "");
            let line = logged(format, "debug", false, malformed);
            assert!(line.contains("DEBUG") && line.contains("stream error: ERROR"), "{line}");
            let other = logged(format, "debug", false, || tracing::error!("stream error"));
            assert!(other.contains("ERROR"), "{other}");
        }
    }

    #[test]
    fn init_rejects_bad_filter_and_second_call() {
        let begin = |filter: &str| {
            let log =
                LogSettings { format: LogFormat::Pretty, filter: filter.to_owned(), color: false };
            init(&Settings { log, traces: None, reports: None }, "1.2.3").map(drop)
        };
        assert!(matches!(begin("lots"), Err(InitError::Filter(_))));
        begin("off").unwrap();
        assert!(matches!(begin("off"), Err(InitError::AlreadyBegun(_))));
    }
}
