//! Tests of errors as Sentry receives them.

use std::panic::catch_unwind;

use super::*;
use crate::received::received;
use crate::{LogFormat, LogSettings, Settings};

/// Runs some work and returns the envelopes sent.
fn sent(work: impl FnOnce()) -> Vec<String> {
    let settings = |address| {
        let reports = ReportSettings {
            dsn: format!("http://0123456789@{address}/7").parse().unwrap(),
            environment: "tests".to_owned(),
        };
        // Reports do not depend on the log filter.
        let log = LogSettings { format: LogFormat::Json, filter: "off".to_owned(), color: false };
        Settings { log, traces: None, reports: Some(reports) }
    };
    let requests = received(settings, work);
    for request in &requests {
        assert_eq!(request.url.path(), "/api/7/envelope/");
        let key = request.headers["x-sentry-auth"].to_str().unwrap();
        assert!(key.contains("sentry_key=0123456789"), "{key}");
    }
    requests.into_iter().map(|request| String::from_utf8(request.body).unwrap()).collect()
}

#[track_caller]
fn check_contains(envelope: &str, parts: &[&str]) {
    for part in parts {
        assert!(envelope.contains(part), "{part} is not in {envelope}");
    }
}

#[test]
fn request_error_is_sent_once_without_secrets() {
    let sent = sent(|| {
        let _request = tracing::error_span!("web.request", request_id = "ft_k_id").entered();
        tracing::warn!("a request was turned away");
        tracing::error!(
            route = "/markets/{id}",
            code = "INTERNAL_ERROR",
            password = "swordfish",
            error = "mail to ada@example.org with ft_s_abc was refused",
            "a request failed"
        );
    });
    let [envelope] = &sent[..] else { panic!("{sent:?}") };
    check_contains(
        envelope,
        &[
            r#""message":"a request failed""#,
            r#""release":"foretell@1.2.3""#,
            r#""environment":"tests""#,
            r#""web.request:request_id":"[hidden]""#,
            r#""fingerprint":["{{ default }}","/markets/{id}","INTERNAL_ERROR"]"#,
            r#""error":"mail to [hidden] with [hidden] was refused""#,
            r#""password":"[hidden]""#,
        ],
    );
    for secret in ["swordfish", "ada@", "ft_s_", "ft_k_", "server_name"] {
        assert!(!envelope.contains(secret), "{secret} is in {envelope}");
    }
}

#[test]
fn panic_is_sent_with_its_location() {
    let sent = sent(|| {
        catch_unwind(|| panic!("no such token=abcdef")).unwrap_err();
    });
    let [envelope] = &sent[..] else { panic!("{sent:?}") };
    check_contains(
        envelope,
        &[
            r#""value":"no such token=[hidden]""#,
            r#""stacktrace":{"frames":[{"#,
            r#""level":"fatal""#,
        ],
    );
    assert!(!envelope.contains("abcdef"), "{envelope}");
}

#[test]
fn rejected_trace_batch_is_not_reported() {
    let sent = sent(|| tracing::error!(target: "opentelemetry_sdk", "a batch was not taken"));
    assert!(sent.is_empty(), "{sent:?}");
}
