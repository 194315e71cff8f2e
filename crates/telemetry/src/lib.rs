//! Logs (JSON or pretty, filtered, written to standard error) and metrics; knows nothing else of this project.
//!
//! A span is left out together with its fields when the filter does not admit its level, so the span that
//! carries the request's id has to be made at the level `error` to be in every line.

mod filter;
mod metrics;

use std::io;

use thiserror::Error;
use tracing::Subscriber;
use tracing::subscriber::SetGlobalDefaultError;
use tracing_subscriber::fmt::MakeWriter;

pub use filter::{FilterError, check_filter};
pub use metrics::{Metrics, MetricsError};

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
    /// Something in this process logs already.
    #[error("logging has begun already")]
    AlreadyBegun(#[from] SetGlobalDefaultError),
}

/// Begins to write logs to standard error, once in a process. A line that cannot be written is lost.
///
/// # Errors
/// [`InitError::Filter`], [`InitError::AlreadyBegun`].
pub fn init(settings: &LogSettings) -> Result<(), InitError> {
    let subscriber = subscriber(settings, io::stderr)?;
    Ok(tracing::subscriber::set_global_default(subscriber)?)
}

fn subscriber<W>(settings: &LogSettings, writer: W) -> Result<Box<dyn Subscriber + Send + Sync>, FilterError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = filter::parse(&settings.filter)?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        // It would report a broken standard error to standard error, and panic.
        .log_internal_errors(false);
    Ok(match settings.format {
        LogFormat::Pretty => Box::new(lines.compact().with_ansi(settings.color).finish()),
        LogFormat::Json => Box::new(lines.json().flatten_event(true).with_current_span(false).finish()),
    })
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
        let subscriber = subscriber(&settings, move || writer.clone()).unwrap();
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
    fn init_refuses_a_bad_filter_and_works_once() {
        let settings =
            |filter: &str| LogSettings { format: LogFormat::Pretty, filter: filter.to_owned(), color: false };
        assert!(matches!(init(&settings("lots")), Err(InitError::Filter(_))));
        init(&settings("off")).unwrap();
        assert!(matches!(init(&settings("off")), Err(InitError::AlreadyBegun(_))));
    }
}
