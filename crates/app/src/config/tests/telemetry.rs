//! Tests of the settings of logs, traces and error reports.

use super::*;

const ENDPOINT: (&str, &str) = ("FORETELL__TRACES__ENDPOINT", "http://127.0.0.1:4318/v1/traces");
const DSN: (&str, &str) = ("FORETELL__SENTRY__DSN", "https://0123456789@errors.example.org/1");

#[test]
fn no_color_variable_disables_colours() {
    assert!(!load(&[("NO_COLOR", "1")]).unwrap().telemetry.log.color);
}

#[test]
fn default_sends_no_telemetry() {
    let telemetry = load(&[]).unwrap().telemetry;
    assert!(telemetry.traces.is_none() && telemetry.reports.is_none(), "{telemetry:?}");
}

#[test]
fn headers_and_environment_are_always_checked() {
    check_variable(
        "FORETELL__TRACES__SAMPLE_PERCENT",
        "101",
        "traces.sample_percent (in FORETELL__TRACES__SAMPLE_PERCENT) is \"101\": must be a whole \
         number from 0 to 100",
    );
    check_variable(
        "FORETELL__TRACES__HEADERS",
        "hunter2",
        "traces.headers (in FORETELL__TRACES__HEADERS): must be headers such as \
         \"authorization=Bearer ...,x-team=markets\"",
    );
    for environment in ["", "a b", "a/b", &"a".repeat(65)] {
        let message = message(load(&[("FORETELL__SENTRY__ENVIRONMENT", environment)]));
        assert!(
            message.contains("must be 1 to 64 characters without spaces and slashes"),
            "{message}"
        );
    }
}

#[cfg(all(feature = "opentelemetry", feature = "sentry"))]
#[test]
fn trace_and_error_destinations_are_configurable() {
    let headers = ("FORETELL__TRACES__HEADERS", "authorization=Bearer hunter2");
    let telemetry = load(&[ENDPOINT, headers, DSN]).unwrap().telemetry;
    let shown = format!("{telemetry:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("0123456789"), "{shown}");
    let (traces, reports) = (telemetry.traces.unwrap(), telemetry.reports.unwrap());
    assert_eq!((traces.endpoint.as_str(), traces.sample_percent), (ENDPOINT.1, 100));
    assert_eq!(traces.headers.iter().collect::<Vec<_>>(), [("authorization", "Bearer hunter2")]);
    assert_eq!(reports.environment, "development");
    let in_production = load(&[DSN, ("FORETELL_ENV", "production")]).unwrap();
    assert_eq!(in_production.telemetry.reports.unwrap().environment, "production");

    check_variable(
        ENDPOINT.0,
        "127.0.0.1:4318",
        "traces.endpoint (in FORETELL__TRACES__ENDPOINT) is \"127.0.0.1:4318\": must be an address \
         such as \"http://127.0.0.1:4318/v1/traces\"",
    );
    check_variable(
        DSN.0,
        "hunter2",
        "sentry.dsn (in FORETELL__SENTRY__DSN): must be a DSN such as \
         \"https://key@errors.example.org/1\"",
    );
}

#[cfg(not(any(feature = "opentelemetry", feature = "sentry")))]
#[test]
fn settings_of_missing_features_are_rejected() {
    for ((name, value), feature) in [(ENDPOINT, "opentelemetry"), (DSN, "sentry")] {
        let message = message(load(&[(name, value)]));
        assert!(
            message
                .ends_with(&format!("needs a program that was built with `--features {feature}`"))
        );
    }
}
