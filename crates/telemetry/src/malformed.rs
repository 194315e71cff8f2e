//! Malformed HTTP requests: the HTTP library logs them as errors, although any client can send
//! them.
//!
//! They are logged at the level `debug`, and never reported.

use std::fmt;

use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Modules of the library that parse requests.
pub(crate) const TARGETS: [&str; 2] = ["actix_http::h1::dispatcher", "actix_http::h1::decoder"];

/// Returns `true` for the event of a malformed request.
pub(crate) fn is_malformed_request(metadata: &Metadata<'_>) -> bool {
    TARGETS.contains(&metadata.target())
}

/// Returns `true` if a filter admits events of this target at the level `debug`.
pub(crate) fn admits_debug(directives: &[&str], target: &str) -> bool {
    let parts =
        directives.iter().map(|directive| directive.split_once('=').unwrap_or(("", directive)));
    let nearest = parts
        .filter(|(prefix, _)| target.starts_with(prefix))
        .max_by_key(|(prefix, _)| prefix.len());
    let level = nearest.and_then(|(_, level)| level.parse::<LevelFilter>().ok());
    level.is_some_and(|level| level >= LevelFilter::DEBUG)
}

/// Writes events of malformed requests as `DEBUG`, and all others unchanged.
pub(crate) struct Demoted<F>(pub(crate) F);

impl<S, N, F> FormatEvent<S, N> for Demoted<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if !is_malformed_request(event.metadata()) {
            return self.0.format_event(context, writer, event);
        }
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        // The level precedes any text from a client.
        writer.write_str(&line.replacen("ERROR", "DEBUG", 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_directive_decides() {
        let check = |filter: &str, expected: bool| {
            let directives: Vec<_> = filter.split(',').collect();
            assert_eq!(admits_debug(&directives, TARGETS[0]), expected, "{filter}");
        };
        check("info", false);
        check("debug", true);
        check("TRACE", true);
        check("info,actix_server=debug", false);
        check("info,actix_http=debug", true);
        check("debug,actix_http=info", false);
        check("debug,actix_http=info,actix_http::h1::dispatcher=trace", true);
    }
}
