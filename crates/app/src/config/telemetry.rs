//! Settings of logs, traces and error reports.

use foretell_telemetry::{LogFormat, LogSettings, ReportSettings, Settings, TraceSettings};

use super::reader::Reader;

/// Maximum number of characters that Sentry accepts for the name of an environment.
const MAX_ENVIRONMENT: usize = 64;

pub(super) fn read_telemetry(reader: &mut Reader) -> Option<Settings> {
    let log = read_log(reader);
    let traces = read_traces(reader);
    let reports = read_reports(reader);
    Some(Settings { log: log?, traces: traces?, reports: reports? })
}

fn read_log(reader: &mut Reader) -> Option<LogSettings> {
    let format = reader.parsed("log.format", |text| match text {
        "pretty" => Ok(LogFormat::Pretty),
        "json" => Ok(LogFormat::Json),
        _ => Err("must be \"pretty\" or \"json\"".to_owned()),
    });
    let filter = reader.parsed("log.filter", |text| {
        foretell_telemetry::check_filter(text).map(|()| text.to_owned()).map_err(said)
    });
    Some(LogSettings { format: format?, filter: filter?, color: false })
}

#[expect(clippy::option_option, reason = "a bad setting is not the same as no traces")]
fn read_traces(reader: &mut Reader) -> Option<Option<TraceSettings>> {
    let endpoint = reader.parsed("traces.endpoint", if_any);
    let headers = reader.parsed_secret("traces.headers", |text| text.parse().map_err(said));
    let sample_percent = reader.number("traces.sample_percent", 0..=100);
    let (endpoint, headers, sample_percent) = (endpoint?, headers?, sample_percent?);
    Some(endpoint.map(|endpoint| TraceSettings { endpoint, headers, sample_percent }))
}

#[expect(clippy::option_option, reason = "a bad setting is not the same as no reports")]
fn read_reports(reader: &mut Reader) -> Option<Option<ReportSettings>> {
    let dsn = reader.parsed_secret("sentry.dsn", if_any);
    let environment = reader.parsed("sentry.environment", |text| {
        let is_name = |text: &str| !text.contains(|char: char| char.is_whitespace() || char == '/');
        let is_good = (1..=MAX_ENVIRONMENT).contains(&text.chars().count()) && is_name(text);
        let refusal =
            || format!("must be 1 to {MAX_ENVIRONMENT} characters without spaces and slashes");
        is_good.then(|| text.to_owned()).ok_or_else(refusal)
    });
    let (dsn, environment) = (dsn?, environment?);
    Some(dsn.map(|dsn| ReportSettings { dsn, environment }))
}

/// Parses a text, unless it is empty.
fn if_any<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<Option<T>, String> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(said) }
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
