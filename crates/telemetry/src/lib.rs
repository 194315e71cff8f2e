//! Logs (JSON or pretty, filtered, written to standard error), metrics, and where it is wanted traces for an
//! OpenTelemetry collector (the feature `opentelemetry`) and errors for Sentry (the feature `sentry`); knows nothing
//! else of this project.
//!
//! A span is left out together with its fields when the filter does not admit its level, so the span that
//! carries the request's id has to be made at the level `error` to be in every line.

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

/// What is written of what happens, and what is sent.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The log.
    pub log: LogSettings,
    /// Traces, if they are sent.
    pub traces: Option<TraceSettings>,
    /// Errors, if they are sent.
    pub reports: Option<ReportSettings>,
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One line of text for people, the fields of the spans at its end.
    Pretty,
    /// One JSON object for machines: the event's fields at its top, those of the spans in `spans`, the
    /// outermost first.
    Json,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// How a line is written.
    pub format: LogFormat,
    /// What is logged: a level, or levels by target, as [`check_filter`] allows.
    pub filter: String,
    /// Whether pretty lines are coloured.
    pub color: bool,
}

/// Why logging could not begin.
#[derive(Debug, Error)]
pub enum InitError {
    /// The filter means nothing.
    #[error("the log filter is not valid")]
    Filter(#[from] FilterError),
    /// Traces cannot be sent as it is set.
    #[cfg(feature = "opentelemetry")]
    #[error("traces cannot be sent")]
    Traces(#[from] opentelemetry_otlp::ExporterBuildError),
    /// Something in this process logs already.
    #[error("logging has begun already")]
    AlreadyBegun(#[from] SetGlobalDefaultError),
}

/// What sends traces and errors; when it is dropped, what is left is sent, which takes up to a second for each.
#[must_use = "nothing is sent any more once it is dropped"]
#[derive(Default)]
pub struct Telemetry {
    #[cfg(feature = "opentelemetry")]
    traces: Option<traces::Traces>,
    #[cfg(feature = "sentry")]
    reports: Option<reports::Reports>,
}

/// Begins to write logs to standard error, and to send what is to be sent as of this version of the program, once in a
/// process and before it has other threads. A line that cannot be written is lost; so is what is not taken where it is sent, and nobody waits for
/// that.
///
/// # Errors
/// [`InitError::Filter`], [`InitError::AlreadyBegun`], and `InitError::Traces`.
pub fn init(settings: &Settings, version: &str) -> Result<Telemetry, InitError> {
    let telemetry = Telemetry::begin(settings, version)?;
    tracing::subscriber::set_global_default(telemetry.subscriber(&settings.log, io::stderr)?)?;
    Ok(telemetry)
}

/// Makes a span part of the trace that a header `traceparent` (W3C Trace Context) tells of; without effect on a span
/// that is not traced, or has parts already.
pub fn join_trace(span: &Span, traceparent: &str) {
    #[cfg(feature = "opentelemetry")]
    traces::join(span, traceparent);
    #[cfg(not(feature = "opentelemetry"))]
    let _ = (span, traceparent);
}

impl Telemetry {
    #[cfg_attr(
        not(feature = "opentelemetry"),
        allow(unused_variables, clippy::unnecessary_wraps, reason = "it takes less to begin with less")
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
            reports: settings.reports.as_ref().map(|reports| reports::Reports::begin(reports, version)),
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
            // What is not logged costs less where nobody else may want it.
            return Ok(Box::new(tracing_subscriber::registry().with(filter).with(lines(log, writer))));
        }
        let lines = lines(log, writer).with_filter(filter).boxed();
        Ok(Box::new(tracing_subscriber::registry().with(senders).with(lines)))
    }

    /// What keeps something to be sent.
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

/// Writes lines.
fn lines<S, W>(log: &LogSettings, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // It would report a broken standard error to standard error, and panic.
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).log_internal_errors(false);
    match log.format {
        LogFormat::Pretty => lines.compact().with_ansi(log.color).map_event_format(Demoted).boxed(),
        LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(false).map_event_format(Demoted).boxed()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Collects lines instead of standard error.
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
        let subscriber = Telemetry::default().subscriber(&settings, move || writer.clone()).unwrap();
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
    fn a_json_line_has_the_fields_of_its_event_and_of_all_its_spans() {
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
    fn the_request_id_is_in_lines_whose_filter_admits_errors_only() {
        for format in [LogFormat::Json, LogFormat::Pretty] {
            let line = logged(format, "error", false, || {
                let _request = tracing::error_span!("web.place_bet", request_id = "r-17").entered();
                tracing::error!("the ledger is out of balance");
            });
            check_contains(&line, &["r-17"]);
        }
    }

    #[test]
    fn a_field_recorded_later_is_in_json_lines_too() {
        let line = logged(LogFormat::Json, "info", true, || {
            let span =
                tracing::error_span!("web.place_bet", request_id = "r-17", user_id = tracing::field::Empty);
            span.record("user_id", "u-3");
            span.in_scope(|| tracing::info!("placed"));
        });
        check_contains(&line, &[r#""request_id":"r-17""#, r#""user_id":"u-3""#]);
        assert!(!line.contains('\u{1b}'), "{line:?}");
    }

    #[test]
    fn a_pretty_line_is_text_and_coloured_on_demand() {
        let plain = logged(LogFormat::Pretty, "info", false, request);
        check_contains(&plain, &["WARN", "account_id=\"a-9\"", "request_id=\"r-17\"", "market_id=4"]);
        assert!(!plain.contains('\u{1b}'), "{plain:?}");
        assert!(logged(LogFormat::Pretty, "info", true, request).contains("\u{1b}["));
    }

    #[test]
    fn the_filter_leaves_out_what_is_below_its_level() {
        assert_eq!(logged(LogFormat::Json, "error", false, request), "");
        assert_eq!(logged(LogFormat::Json, "info,foretell_telemetry=off", false, request), "");
        assert_ne!(logged(LogFormat::Json, "error,foretell_telemetry=debug", false, request), "");
    }

    #[test]
    fn malformed_requests_are_logged_at_debug() {
        let malformed = || tracing::error!(target: "actix_http::h1::dispatcher", "stream error: ERROR");
        for format in [LogFormat::Json, LogFormat::Pretty] {
            assert_eq!(logged(format, "info,actix_server=warn", false, malformed), "");
            let line = logged(format, "debug", false, malformed);
            assert!(line.contains("DEBUG") && line.contains("stream error: ERROR"), "{line}");
            let other = logged(format, "debug", false, || tracing::error!("stream error"));
            assert!(other.contains("ERROR"), "{other}");
        }
    }

    #[test]
    fn init_refuses_a_bad_filter_and_works_once() {
        let begin = |filter: &str| {
            let log = LogSettings { format: LogFormat::Pretty, filter: filter.to_owned(), color: false };
            init(&Settings { log, traces: None, reports: None }, "1.2.3").map(drop)
        };
        assert!(matches!(begin("lots"), Err(InitError::Filter(_))));
        begin("off").unwrap();
        assert!(matches!(begin("off"), Err(InitError::AlreadyBegun(_))));
    }
}
